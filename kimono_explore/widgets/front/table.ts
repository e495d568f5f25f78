// The table: what Python holds, shown row by row. See table.py for what each message means.

import { Body, leftOf } from "./body.ts";
import { bounded, ColumnMenu, shrinking, sizesOf, widened, widthOf, type Change, type Sizes } from "./columns.ts";
import { make, setAttribute, setText } from "./dom.ts";
import { Download } from "./download.ts";
import { between, chosenAfter, Header, inOrder, rangeOf, type HeaderActs } from "./header.ts";
import { hostOf, type Bytes, type Host, type Message } from "./host.ts";
import { icon } from "./icons.ts";
import { lead, ownKeys, picked, type Place } from "./keys.ts";
import { Pages } from "./pages.ts";
import { heightOf, movedBy, placeOf, ROW, spanAt, TALLEST } from "./scroll.ts";
import { followTheme } from "./theme.ts";
import { count, NOTHING, type Column, type View } from "./view.ts";

export class Table {
  private readonly root = make("div", "kx-table");
  private readonly sentence = make("div", "kx-sentence", { role: "group", "aria-label": "Filter" });
  private readonly grid = make("div", "kx-grid", { role: "grid" });
  private readonly head = make("div", "kx-head", { role: "rowgroup" });
  private readonly headRow = make("div", "kx-row kx-headers", { role: "row", "aria-rowindex": "1" });
  private readonly body = new Body();
  private readonly empty = make("div", "kx-empty");
  private readonly status = make("span", "kx-count", { role: "status" });
  private readonly copy = button("copy", "Copy as Python");
  private readonly files = new Map([["csv", button("down", "CSV")], ["xlsx", button("down", "Excel")]]);
  private readonly download = new Download();
  private readonly menu = new ColumnMenu((at, change) => this.change(at, change));
  private readonly pages: Pages;
  private readonly ends: (() => void)[] = [];
  private headers: Header[] = [];
  private view: View = NOTHING;
  private shape = "";
  private active: Place = { row: 0, column: 0 };
  private anchor = 0;
  private asked: number[] | undefined; // what is picked once Python has heard it: the next click adds to that
  private inBars = false;
  private barFrom = 0; // where a range begins that Shift and an arrow extend
  private frame = 0;
  private sizes: Sizes = { template: "", wide: 0, lefts: [], kept: 0 };
  private readonly dragged = new Map<number, number>(); // widths that Python has not heard of yet
  private sized = false; // the grid is wider, or narrower, than it was
  private readonly halt = button("stop", "Stop");
  private busy = false; // a file is being made
  private told = 0; // the room that Python knows of
  private scrolledBefore = 0;
  private stop: HTMLElement | undefined; // the one element that Tab comes to

  constructor(
    private readonly host: Host,
    el: HTMLElement,
  ) {
    this.pages = new Pages((message) => this.host.send(message));
    this.head.append(this.headRow);
    this.grid.append(this.head, this.body.element);
    const foot = make("div", "kx-foot");
    const does = make("div", "kx-does");
    does.append(this.menu.button, this.halt, ...this.files.values(), this.copy);
    this.halt.hidden = true;
    foot.append(this.status, does, this.menu.element);
    this.root.append(this.sentence, this.grid, this.empty, foot);
    el.append(this.root);
    const moves = /^(Home|End|Arrow|Page| $)/;
    this.ends.push(followTheme(this.root), ownKeys(this.root, (event, target) => this.grid.contains(target) && moves.test(event.key)));
    this.ends.push(host.on("view", () => this.renew()), host.on("selected_rows", () => this.draw(true)));
    this.ends.push(host.on("message", (message, bytes) => this.hear(message, bytes)));
    for (const name of ["label", "many", "height"]) this.ends.push(host.on(name, () => this.renew()));
    this.ends.push(() => this.menu.end());
    const sized = new ResizeObserver(() => this.later(true)); // sized in the next frame: at once, it would loop
    sized.observe(this.grid);
    this.ends.push(() => sized.disconnect());
    this.listen();
    this.renew();
  }

  end(): void {
    for (const end of this.ends) end();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  // What comes from Python.

  private renew(): void {
    const before = this.view;
    this.view = { ...NOTHING, ...(this.host.get("view") as Partial<View>) };
    const { columns, left, version } = this.view;
    const had = this.hasFocus();
    this.pages.renew(version, this.view.first);
    const shape = JSON.stringify(columns.map((column) => [column.title, column.id, column.number, column.width, column.pinned]));
    if (shape !== this.shape) this.layOut(columns, shape);
    else this.body.remark(columns);
    columns.forEach((column, n) => this.headers[n]?.renew(column, this.view.sort));
    this.menu.renew(this.view.menu);
    this.dragged.clear();
    this.size();
    if (before.ordered !== this.view.ordered) this.grid.scrollTop = 0;
    if (before.filled !== this.view.filled && before.ordered !== this.view.ordered) this.active = { row: left ? 0 : -1, column: 0 };
    this.active.row = Math.min(this.active.row, left - 1);
    this.active.column = Math.min(this.active.column, Math.max(0, columns.length - 1));
    this.anchor = Math.max(0, this.active.row);
    setAttribute(this.grid, "aria-label", String(this.host.get("label") ?? "Table"));
    setAttribute(this.grid, "aria-rowcount", String(left + 1));
    setAttribute(this.grid, "aria-colcount", String(columns.length));
    setAttribute(this.grid, "aria-multiselectable", String(this.many));
    this.grid.style.maxHeight = `${Number(this.host.get("height") ?? 330)}px`;
    this.grid.hidden = columns.length === 0;
    this.body.element.hidden = left === 0;
    this.headRow.classList.toggle("kx-plain", this.view.total < 2); // there is nothing to tell apart
    this.body.element.style.height = `${heightOf(left)}px`;
    this.empty.hidden = left > 0;
    setText(this.empty, this.view.total > 0 ? "No row is left. Take a part of the filter away." : "nothing here");
    this.writeSentence();
    this.draw(true);
    if (had) this.focus();
  }

  private layOut(columns: Column[], shape: string): void {
    this.shape = shape;
    this.stop = undefined;
    const acts: HeaderActs = {
      sort: (column) => this.sort(column),
      choose: this.choose,
      brush: (column, bars) => this.filter(column, bars),
      widen: (column, width, kept) => this.widen(column, width, kept),
      fit: (column) => this.widen(column, Math.max(this.headers[column]?.room ?? 0, this.body.room(column)), true),
    };
    this.headers = columns.map((_, n) => new Header(n, acts));
    this.headRow.replaceChildren(...this.headers.map((header) => header.element));
    this.body.renew(columns);
  }

  /** Lays the columns out: as wide as they are, or are being dragged. */
  private size(): void {
    const columns = this.view.columns.map((column, n) => ({ ...column, wide: this.dragged.get(n) ?? column.wide }));
    const room = this.grid.clientWidth;
    this.tellRoom(room);
    this.sizes = sizesOf(columns, shrinking(columns, columns.map(widthOf), room), room);
    const { style } = this.grid;
    style.setProperty("--kx-columns", this.sizes.template);
    style.setProperty("--kx-wide", `${this.sizes.wide}px`);
    columns.forEach((column, n) => {
      const left = this.sizes.lefts[n];
      style.setProperty(`--kx-left-${n}`, left === undefined ? "auto" : `${left}px`);
      const header = this.headers[n]?.element;
      if (header) header.style.left = column.pinned ? leftOf(n) : "";
    });
  }

  /** Python leaves columns out where there is little room; see table.py. */
  private tellRoom(room: number): void {
    if (room === 0 || room === this.told) return;
    this.told = room;
    this.host.send({ kind: "room", width: room });
  }

  private writeSentence(): void {
    const { parts } = this.view;
    this.sentence.hidden = parts.length === 0;
    if (parts.length === 0) return this.sentence.replaceChildren();
    const tokens = parts.map(([column, words]) => {
      const token = make("span", "kx-token");
      const text = make("span", "kx-words", { title: words });
      setText(text, words);
      const off = make("button", "kx-off", { type: "button", "aria-label": `Without: ${words}` });
      setText(off, "×");
      off.addEventListener("click", () => this.filter(column, []));
      token.append(text, off);
      return token;
    });
    const clear = make("button", "kx-button kx-clear", { type: "button" });
    setText(clear, "Clear all");
    clear.addEventListener("click", () => this.host.send({ kind: "clear" }));
    this.sentence.replaceChildren(...tokens, clear);
  }

  private writeStatus(extra = ""): void {
    const { left, total, sort, columns } = this.view;
    const rows = total === 1 ? "row" : "rows";
    const name = sort ? columns[sort[0]]?.words : undefined;
    const chosen = this.picks.length;
    const parts = [left === total ? `${count(total)} ${rows}` : `${count(left)} of ${count(total)} ${rows}`];
    if (name !== undefined) parts.push(`sorted by ${name}${sort?.[1] ? ", last first" : ""}`);
    if (this.many && chosen > 0) parts.push(`${count(chosen)} picked`);
    setText(this.status, extra || parts.join(", "));
  }

  // What is on screen.

  private later(sized = false): void {
    this.sized ||= sized;
    if (this.frame === 0)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (this.sized) this.size();
        this.sized = false;
        this.drawRows();
      });
  }

  private draw(answered = false): void {
    if (answered) this.asked = undefined;
    this.drawRows();
    this.writeStatus();
  }

  private drawRows(): void {
    const { left, columns } = this.view;
    if (columns.length > 0) {
      const { first, last, top } = spanAt(this.grid.scrollTop, this.seen, left, 4);
      const direction = this.grid.scrollTop - this.scrolledBefore;
      this.scrolledBefore = this.grid.scrollTop;
      this.pages.want(first, last, left, direction);
      const row = (n: number) => this.pages.row(n);
      this.body.draw(first, last, top, this.active.row, heightOf(left), row, new Set(this.picks));
    }
    this.setStop();
  }

  private setStop(): void {
    const now = this.cellAt(this.active);
    if (now === this.stop) return;
    if (this.stop) setAttribute(this.stop, "tabindex", "-1");
    if (now) setAttribute(now, "tabindex", "0");
    this.stop = now;
  }

  private cellAt({ row, column }: Place): HTMLElement | undefined {
    return row < 0 ? this.headers[column]?.element : this.body.cell(row, column);
  }

  private get seen(): number {
    return Math.max(ROW, this.grid.clientHeight - this.head.offsetHeight);
  }

  private get many(): boolean {
    return this.host.get("many") === true;
  }

  private get picks(): number[] {
    return (this.host.get("selected_rows") as number[] | undefined) ?? [];
  }

  private hasFocus(): boolean {
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement;
    return focused !== null && this.grid.contains(focused);
  }

  private focus(): void {
    const cell = this.cellAt(this.active);
    cell?.focus({ preventScroll: true });
    if (!cell) return;
    if (this.sizes.lefts[this.active.column] !== undefined) return; // it stays in sight
    const { offsetLeft, offsetWidth } = cell;
    const first = offsetLeft - this.sizes.kept;
    if (first < this.grid.scrollLeft) this.grid.scrollLeft = first;
    const right = offsetLeft + offsetWidth - this.grid.clientWidth;
    if (right > this.grid.scrollLeft) this.grid.scrollLeft = Math.min(right, first);
  }

  // What a person does.

  private listen(): void {
    this.grid.addEventListener("scroll", () => this.later(), { passive: true });
    this.grid.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.grid.addEventListener("focusin", (event) => this.enter(event.target));
    this.grid.addEventListener("focusout", () => this.leaveBars());
    this.body.element.addEventListener("click", (event) => this.click(event));
    this.body.element.addEventListener("pointerover", (event) => this.body.tell(event.target));
    this.copy.addEventListener("click", () => this.copyCode());
    for (const [kind, element] of this.files) element.addEventListener("click", () => this.save(kind));
    this.halt.addEventListener("click", () => this.host.send({ kind: "stop" }));
    this.root.addEventListener("copy", (event) => {
      const selection = document.getSelection();
      const text = selection?.isCollapsed === false ? null : this.cellText(this.active);
      if (text === null || !this.hasFocus()) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
    });
  }

  /** Beyond the cap a px of the scroll bar is more than one of the rows: the wheel goes by rows. */
  private turn(event: WheelEvent): void {
    const { left } = this.view;
    if (left * ROW <= TALLEST || event.deltaY === 0 || event.ctrlKey || event.shiftKey) return;
    const unit = event.deltaMode === 1 ? ROW : event.deltaMode === 2 ? this.seen : 1;
    const place = movedBy(event.deltaY * unit, this.grid.scrollTop, this.seen, left);
    if (Math.abs(place - this.grid.scrollTop) < 0.01) return;
    event.preventDefault();
    this.grid.scrollTop = place;
  }

  private enter(target: EventTarget | null): void {
    const place = this.placeOf(target);
    if (!place) return;
    this.active = place;
    this.setStop();
  }

  private placeOf(target: EventTarget | null): Place | undefined {
    const cell = target instanceof Element ? target.closest<HTMLElement>("[aria-colindex]") : null;
    if (!cell) return undefined;
    const row = cell.parentElement?.dataset["row"];
    return { row: row === undefined ? -1 : Number(row), column: Number(cell.getAttribute("aria-colindex")) - 1 };
  }

  private click(event: MouseEvent): void {
    const place = this.placeOf(event.target);
    if (!place || document.getSelection()?.type === "Range") return; // somebody marks a text
    this.pick(place.row, event.ctrlKey || event.metaKey, event.shiftKey);
  }

  private pick(n: number, add: boolean, extend: boolean): void {
    const row = this.pages.row(n);
    if (!row) return;
    if (this.many && extend) {
      this.host.send({ kind: "range", version: this.view.version, first: this.anchor, last: n });
      return;
    }
    this.anchor = n;
    this.asked = picked(this.asked ?? this.picks, row.at, this.many, add);
    this.host.send({ kind: "pick", filled: this.view.filled, rows: this.asked, add: this.many && add });
  }

  private press(event: KeyboardEvent): void {
    const header = this.active.row < 0 ? this.headers[this.active.column] : undefined;
    const width = header && widened(event, header.element.offsetWidth);
    if (width !== undefined) {
      this.widen(this.active.column, width, true);
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (this.inBars && header ? this.pressInBars(event, header) : this.pressInGrid(event, header)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private pressInGrid(event: KeyboardEvent, header: Header | undefined): boolean {
    const { left, columns } = this.view;
    const to = lead(event, this.active, left, columns.length, Math.max(1, Math.floor(this.seen / ROW) - 1));
    if (to) {
      this.go(to, this.many && event.shiftKey);
      return true;
    }
    if (event.key === "Escape") {
      this.cellAt(this.active)?.blur();
      return true;
    }
    if (event.ctrlKey || event.metaKey ? event.key !== " " : event.altKey) return false;
    if (event.key === "Enter" && event.shiftKey) return false;
    if (event.key === " " || event.key === "Enter") {
      if (!header) this.pick(this.active.row, event.key === " ", event.shiftKey);
      else if (event.key === "Enter" && header.bars > 0) this.enterBars(header);
      else this.sort(this.active.column);
      return true;
    }
    if (event.key === "c" && !header) {
      this.copyId();
      return true;
    }
    return false;
  }

  private go(to: Place, extend: boolean): void {
    this.active = to;
    if (to.row >= 0) this.grid.scrollTop = placeOf(to.row, this.grid.scrollTop, this.seen, this.view.left);
    this.draw();
    this.focus();
    if (extend && to.row >= 0) this.pick(to.row, false, true);
  }

  private enterBars(header: Header): void {
    this.inBars = true;
    const column = this.view.columns[this.active.column];
    const first = (this.barFrom = column?.chosen[0] ?? 0);
    const range = column && inOrder(column) ? "with Shift they take a range, " : "";
    this.writeStatus(`${header.point(first)}. Arrows go to others, ${range}Space filters, Backspace takes it away, Escape leaves.`);
  }

  private leaveBars(): void {
    if (!this.inBars) return;
    this.inBars = false;
    this.headers[this.active.column]?.point(-1);
    this.writeStatus();
  }

  private pressInBars(event: KeyboardEvent, header: Header): boolean {
    const column = this.active.column;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    if (step !== 0) {
      const to = Math.min(Math.max(0, header.pointed + step), header.bars - 1);
      if (event.shiftKey) return this.extend(column, header, to);
      this.barFrom = to;
      this.writeStatus(header.point(to));
      return true;
    }
    if (event.key === " ") this.choose(column, header.pointed, event.ctrlKey || event.metaKey);
    else if (event.key === "Enter") this.choose(column, header.pointed, false);
    else if (event.key === "Backspace") this.filter(column, []);
    else if (event.key === "Escape") this.leaveBars();
    else return false;
    return true;
  }

  /** Shift and an arrow: in bars that stand in an order all from where one began; in others one more. */
  private extend(column: number, header: Header, to: number): boolean {
    const now = this.view.columns[column];
    if (!now) return true;
    const bars = inOrder(now) ? between(now, this.barFrom, to) : [...new Set([...now.chosen, header.pointed, to])];
    this.filter(column, bars);
    const said = header.point(to);
    this.writeStatus([inOrder(now) ? rangeOf(now, bars) : "", said].filter(Boolean).join("; "));
    return true;
  }

  private sort(column: number): void {
    const now = this.view.sort;
    const mine = now !== null && now[0] === column;
    if (mine && now[1]) this.host.send({ kind: "sort", column: null });
    else this.host.send({ kind: "sort", column, descending: mine });
  }

  private readonly choose = (column: number, bar: number, add: boolean): void => {
    this.filter(column, chosenAfter(this.view.columns[column]?.chosen ?? [], bar, add));
  };

  private filter(column: number, bars: number[]): void {
    this.host.send({ kind: "filter", column, bars });
  }

  // Columns.

  private change(at: number, change: Change): void {
    this.host.send({ kind: "column", filled: this.view.filled, at, ...change });
  }

  private widen(column: number, width: number, kept: boolean): void {
    const at = this.view.columns[column]?.at;
    if (at === undefined) return;
    this.dragged.set(column, bounded(width));
    this.size();
    if (kept) this.host.send({ kind: "column", filled: this.view.filled, at, width: bounded(width) });
  }

  // Files and copies.

  private hear(message: Message, bytes: Bytes[]): void {
    if (this.pages.take(message)) return this.later();
    const about = this.download.take(message, bytes);
    if (!about) return;
    this.setBusy(!about.done);
    this.writeStatus(about.said);
  }

  private save(kind: string): void {
    if (this.busy) return;
    this.setBusy(true);
    this.writeStatus("Making the file");
    this.host.send({ kind: "save", as: kind });
  }

  /** One file at a time; the buttons keep the keyboard. */
  private setBusy(busy: boolean): void {
    this.busy = busy;
    if (!busy && (this.root.getRootNode() as Document | ShadowRoot).activeElement === this.halt) this.files.get("csv")?.focus();
    this.halt.hidden = !busy;
    for (const element of this.files.values()) setAttribute(element, "aria-disabled", busy ? "true" : null);
  }

  private cellText({ row, column }: Place): string | null {
    return this.pages.row(row)?.cells[column] ?? null;
  }

  /** The id of the row, whole however little of it is seen; where it has none, the cell. */
  private copyId(): void {
    const { columns } = this.view;
    const id = columns.findIndex((column) => column.name === "id");
    const column = columns[this.active.column]?.id || id < 0 ? this.active.column : id;
    const text = this.cellText({ row: this.active.row, column });
    if (text !== null) void this.toClipboard(text, `${columns[column]?.name ?? "cell"} copied`);
  }

  private copyCode(): void {
    void this.toClipboard(this.view.code, `Copied: ${this.view.code}`);
  }

  private async toClipboard(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.writeStatus(done);
    } catch {
      this.writeStatus(`The browser does not let a page copy here: ${text}`);
    }
  }
}

function button(picture: string, words: string): HTMLElement {
  const element = make("button", "kx-button", { type: "button" });
  const text = make("span", "");
  setText(text, words);
  element.append(icon(picture), text);
  return element;
}

export default {
  render({ model, el }: { model: Parameters<typeof hostOf>[0]; el: HTMLElement }): () => void {
    const table = new Table(hostOf(model), el);
    return () => table.end();
  },
};

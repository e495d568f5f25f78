// Which columns are on screen: the menu that chooses them, and how wide each is.

import { make, setAttribute, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { count, type Column, type MenuColumn } from "./view.ts";

export type Change = { shown: boolean } | { pinned: boolean };
export const NARROWEST = 40;
export const WIDEST = 1200;
const STEP = 16;

/** As wide as its texts and its picture, and no wider than is read at a glance; or as somebody made it. */
export function widthOf(column: Column): number {
  if (column.wide !== null) return column.wide;
  const most = column.id ? 118 : 320;
  const texts = column.width * (column.id ? 7.5 : 7.2) + 22;
  const picture = /^\d{4}-/.test(column.bars[0]?.label ?? "") ? 116 : column.kind === "initial" ? 150 : 88;
  return Math.round(Math.max(picture, Math.min(most, texts), Math.min(200, column.title.length * 8 + 36)));
}

export const bounded = (width: number): number => Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));

/** How wide a column is after Alt and an arrow key; nothing for another key. */
export function widened(event: { key: string; altKey: boolean }, width: number): number | undefined {
  const step = event.altKey ? { ArrowLeft: -STEP, ArrowRight: STEP }[event.key] : undefined;
  return step === undefined ? undefined : bounded(width + step);
}

const CUT = 150; // to which a column of long texts may shrink

/** The widths, those of long texts smaller where all columns then are in view, pinned ones last; else they are scrolled. */
export function shrinking(columns: Column[], widths: number[], room: number): number[] {
  const over = widths.reduce((sum, width) => sum + width, 0) - room;
  if (room <= 0 || over <= 0) return widths;
  for (const pinned of [false, true]) {
    const mine = (column: Column | undefined): boolean => column?.wide === null && (pinned || !column.pinned);
    const spare = widths.map((width, n) => (mine(columns[n]) ? Math.max(0, width - CUT) : 0));
    const all = spare.reduce((sum, width) => sum + width, 0);
    if (over <= all) return widths.map((width, n) => Math.floor(width - ((spare[n] ?? 0) * over) / all));
  }
  return widths;
}

export interface Sizes {
  /** For `grid-template-columns`. */
  template: string;
  wide: number;
  /** How far from the left each column stays that is pinned; nothing where it does not. */
  lefts: (number | undefined)[];
  /** How much of the left the pinned columns take. */
  kept: number;
}

/** Pinned columns stay as long as they leave a third of the room to the others. Only the last of them takes room that is left. */
export function sizesOf(columns: Column[], widths: number[], room: number): Sizes {
  let kept = 0;
  const lefts = columns.map((column, n) => {
    const width = widths[n] ?? 0;
    if (!column.pinned || (room > 0 && kept + width > (room * 2) / 3)) return undefined;
    kept += width;
    return kept - width;
  });
  const last = columns.filter((column) => column.pinned).length - 1; // no other stands beside it by its width
  const template = columns.map((column, n) => {
    const width = widths[n] ?? 0;
    return (column.pinned && n < last) || column.wide !== null ? `${width}px` : `minmax(${width}px, ${width}fr)`;
  });
  return { template: template.join(" "), wide: widths.reduce((sum, width) => sum + width, 0), lefts, kept };
}

interface Line {
  element: HTMLElement;
  box: HTMLInputElement;
  words: HTMLElement;
  pin: HTMLElement;
}

/** A button, and the list of all columns that it opens: a box to tick for each, and a pin. */
export class ColumnMenu {
  readonly button = make("button", "kx-button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" });
  readonly element = make("div", "kx-menu", { popover: "auto", role: "dialog", "aria-label": "Columns on screen" });
  private readonly words = make("span", "");
  private lines: Line[] = [];
  private columns: MenuColumn[] = [];
  private readonly follow = (event: Event): void => {
    if (!(event.target instanceof Node && this.element.contains(event.target))) this.place();
  };

  constructor(private readonly change: (at: number, change: Change) => void) {
    this.button.append(icon("columns"), this.words);
    (this.button as HTMLButtonElement).popoverTargetElement = this.element;
    this.element.addEventListener("toggle", (event) => this.toggled((event as ToggleEvent).newState === "open"));
    this.element.addEventListener("keydown", (event) => this.press(event));
  }

  renew(columns: MenuColumn[]): void {
    const shown = columns.filter((column) => column.shown).length;
    setText(this.words, shown === columns.length ? "Columns" : `Columns ${count(shown)} of ${count(columns.length)}`);
    this.button.hidden = columns.length < 2;
    this.columns = columns;
    if (this.lines.length !== columns.length) {
      this.lines = columns.map((_, n) => this.line(n));
      this.element.replaceChildren(...this.lines.map((line) => line.element));
    }
    this.lines.forEach((line, n) => {
      const column = columns[n];
      if (!column) return;
      setText(line.words, column.title);
      setAttribute(line.words, "title", column.name);
      line.box.checked = column.shown;
      setAttribute(line.box, "aria-disabled", column.shown && shown === 1 ? "true" : null); // one stays
      setAttribute(line.pin, "aria-pressed", String(column.pinned));
      setAttribute(line.pin, "aria-label", `Pin ${column.title}`);
      setAttribute(line.pin, "title", `${column.pinned ? "Unpin" : "Pin"} ${column.title}: it comes first and stays`);
    });
  }

  end(): void {
    window.removeEventListener("scroll", this.follow, true);
    window.removeEventListener("resize", this.follow);
  }

  private line(n: number): Line {
    const element = make("div", "kx-option");
    const label = make("label", "kx-tick");
    const box = make("input", "kx-box", { type: "checkbox" }) as HTMLInputElement;
    const words = make("span", "kx-words-of");
    const pin = make("button", "kx-pin", { type: "button" });
    label.append(box, words);
    pin.append(icon("pin"));
    element.append(label, pin);
    box.addEventListener("change", () => {
      const column = this.columns[n];
      if (box.getAttribute("aria-disabled") === "true") box.checked = true;
      else if (column) this.change(column.at, { shown: box.checked });
    });
    pin.addEventListener("click", () => {
      const column = this.columns[n];
      if (column) this.change(column.at, { pinned: !column.pinned });
    });
    return { element, box, words, pin };
  }

  private toggled(open: boolean): void {
    setAttribute(this.button, "aria-expanded", String(open));
    this.end();
    if (!open) return;
    window.addEventListener("scroll", this.follow, true);
    window.addEventListener("resize", this.follow);
    this.place();
    this.lines[0]?.box.focus({ preventScroll: true });
  }

  /** Above its button where there is room, else below it. */
  private place(): void {
    const at = this.button.getBoundingClientRect();
    const above = at.top > window.innerHeight - at.bottom;
    const room = (above ? at.top : window.innerHeight - at.bottom) - 16;
    const { style } = this.element;
    style.maxHeight = `${Math.max(120, Math.min(400, room))}px`;
    style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - this.element.offsetWidth - 8))}px`;
    style.top = above ? "auto" : `${at.bottom + 4}px`;
    style.bottom = above ? `${window.innerHeight - at.top + 4}px` : "auto";
  }

  private press(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const at = this.lines.findIndex(({ element }) => element.contains(event.target as Node));
      const pin = this.lines[at]?.pin === event.target;
      const next = this.lines[Math.min(Math.max(0, at + step), this.lines.length - 1)];
      (pin ? next?.pin : next?.box)?.focus();
    } else if (event.key === "Escape") {
      this.element.hidePopover();
      this.button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

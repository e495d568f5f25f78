// A header: the name of a column, how it is sorted, and a picture of how it is made up, whose bars filter.

import { Brush } from "./brush.ts";
import { draw, make, setAttribute, setText, textWidth } from "./dom.ts";
import { count, type Bar, type Column } from "./view.ts";

const WIDTH = 100;
const HEIGHT = 26;

export interface HeaderActs {
  sort(column: number): void;
  /** Chooses a bar: alone, or beside those that are chosen. */
  choose(column: number, bar: number, add: boolean): void;
  /** Chooses these bars, and no others. */
  brush(column: number, bars: number[]): void;
  /** Makes a column as wide as it is dragged; once it is let go, that is kept. */
  widen(column: number, width: number, kept: boolean): void;
  /** Makes a column as wide as its texts. */
  fit(column: number): void;
}

/** What is chosen after a click on a bar. */
export function chosenAfter(chosen: number[], bar: number, add: boolean): number[] {
  if (add) return chosen.includes(bar) ? chosen.filter((other) => other !== bar) : [...chosen, bar];
  return chosen.length === 1 && chosen[0] === bar ? [] : [bar];
}

/** Bars of numbers, times, letters and grades stand in an order: one can drag over them. */
export const inOrder = (column: Column): boolean => ["range", "initial", "ordered"].includes(column.kind);

interface Bars {
  bars: unknown[];
  missing: boolean;
  other: boolean;
}

/** How many bars there are without those of what is missing, or in no range. */
const real = (column: Bars): number => column.bars.length - Number(column.missing) - Number(column.other);

/** The bars from one to another; what is missing is in no range, and stands alone. */
export function between(column: Bars, from: number, to: number): number[] {
  const last = real(column) - 1;
  if (from > last || last < 0) return [from];
  const [low, high] = [Math.min(from, to, last), Math.min(Math.max(from, to), last)];
  return Array.from({ length: high - low + 1 }, (_, n) => low + n);
}

/** Neighbors as one range: "9 to 12"; nothing where they are not neighbors. */
export function rangeOf(column: Column, bars: number[]): string {
  const sorted = [...bars].sort((a, b) => a - b);
  const [first, last] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  if (sorted.length < 2 || last - first !== sorted.length - 1 || last >= real(column)) return "";
  return `${column.bars[first]?.label.split(" to ")[0]} to ${column.bars[last]?.label.split(" to ").at(-1)}`;
}

export function say(bar: Bar): string {
  return bar.left === bar.total ? `${bar.label}: ${count(bar.total)}` : `${bar.label}: ${count(bar.left)} of ${count(bar.total)}`;
}

/** Of a day, its month: both ends of a column of days stand side by side. */
const brief = (label: string): string => (/^\d{4}-\d\d-\d\d/.test(label) ? label.slice(0, 7) : label);

export function caption(column: Column): [string, string] {
  if (column.chosen.length > 0) {
    const labels = column.chosen.map((bar) => column.bars[bar]?.label ?? "");
    const range = inOrder(column) ? rangeOf(column, column.chosen) : "";
    return [range || (labels.length > 3 ? `${labels.length} chosen` : labels.join(", ")), ""];
  }
  const many = real(column);
  const gone = column.missing ? "none" : "";
  if (column.kind === "different") return [`${count(column.different)} different`, ""];
  if (many <= 0) return ["all missing", ""];
  if (inOrder(column)) {
    const first = brief(column.bars[0]?.label.split(" to ")[0] ?? "");
    const last = brief(column.bars[many - 1]?.label.split(" to ").at(-1) ?? "");
    if (gone) return [first === last ? first : `${first}–${last}`, gone]; // the pale bar at the right
    return [first, first === last ? "" : last];
  }
  if (column.different === 1) return [column.bars[0]?.label ?? "", gone];
  return [`${count(column.different)} values`, gone];
}

/** A range in words and how many rows it has; while the column itself is filtered, only Python knows that. */
function sum(column: Column, bars: number[]): [string, string] {
  const words = rangeOf(column, bars) || (column.bars[bars[0] ?? 0]?.label ?? "");
  const rows = bars.reduce((all, bar) => all + (column.bars[bar]?.left ?? 0), 0);
  return [words, column.chosen.length > 0 ? "" : count(rows)];
}

export class Header {
  readonly element: HTMLElement;
  private readonly name = make("span", "kx-name");
  private readonly arrow = make("span", "kx-arrow", { "aria-hidden": "true" });
  private readonly picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  private readonly left = make("span", "kx-from");
  private readonly right = make("span", "kx-to");
  private column: Column | undefined;
  private at = -1; // the bar that keys, or the pointer, are on
  private readonly brush: Brush;

  constructor(
    private readonly index: number,
    private readonly acts: HeaderActs,
  ) {
    this.element = make("div", "kx-header", { role: "columnheader", "aria-colindex": String(index + 1), tabindex: "-1" });
    const line = make("div", "kx-line");
    line.append(this.name, this.arrow);
    this.picture.classList.add("kx-picture");
    const foot = make("div", "kx-caption");
    foot.append(this.left, this.right);
    this.element.append(line, this.picture, foot, this.handle());
    this.element.addEventListener("click", (event) => this.click(event));
    this.brush = new Brush(this.picture, {
      ordered: () => this.column !== undefined && inOrder(this.column),
      bars: () => this.bars,
      places: () => Math.max(6, this.bars), // as they are drawn
      barOf: (target) => this.barOf(target),
      range: (from, to) => (this.column ? between(this.column, from, to) : []),
      show: (bars) => this.show(bars),
      point: (bar) => this.point(bar),
      done: (bars) => this.acts.brush(this.index, bars),
    });
  }

  private click(event: MouseEvent): void {
    if (this.brush.dragged) return; // let go: no click
    const bar = this.barOf(event.target);
    if (bar < 0) this.acts.sort(this.index);
    else this.acts.choose(this.index, bar, event.ctrlKey || event.metaKey);
  }

  /** The right edge: it is dragged to widen the column, and a double click fits it. */
  private handle(): HTMLElement {
    const handle = make("span", "kx-handle", { "aria-hidden": "true" });
    let from: number | undefined; // how wide the column would be with the pointer at 0
    const width = (event: PointerEvent): number => event.clientX + (from ?? 0);
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      event.preventDefault(); // no text is marked
      handle.setPointerCapture(event.pointerId);
      from = this.element.offsetWidth - event.clientX;
      this.began = event.clientX;
    });
    handle.addEventListener("pointermove", (event) => from !== undefined && this.acts.widen(this.index, width(event), false));
    handle.addEventListener("pointerup", (event) => {
      if (from !== undefined && event.clientX !== this.began) this.acts.widen(this.index, width(event), true);
      from = undefined;
    });
    handle.addEventListener("pointercancel", () => (from = undefined));
    handle.addEventListener("click", (event) => event.stopPropagation());
    handle.addEventListener("dblclick", () => this.acts.fit(this.index));
    return handle;
  }

  private began = 0; // where the handle was taken

  /** Shows a range before it is let go: its bars, and how many rows are in it. */
  private show(bars: number[]): void {
    this.picture.querySelectorAll("[data-bar]").forEach((part, n) => part.classList.toggle("kx-at", bars.includes(n)));
    this.element.classList.toggle("kx-dragged", bars.length > 0);
    this.at = -1;
    this.writeCaption();
  }

  renew(column: Column, sort: [number, boolean] | null): void {
    this.column = column;
    if (this.at >= column.bars.length) this.at = -1;
    setText(this.name, column.title);
    setAttribute(this.element, "title", column.name);
    this.element.classList.toggle("kx-number", column.number);
    this.element.classList.toggle("kx-chosen", column.chosen.length > 0);
    this.element.classList.toggle("kx-pinned", column.pinned);
    this.element.classList.toggle("kx-ordered", inOrder(column));
    const mine = sort !== null && sort[0] === this.index;
    setAttribute(this.element, "aria-sort", mine ? (sort[1] ? "descending" : "ascending") : "none");
    setText(this.arrow, mine ? (sort[1] ? "↓" : "↑") : "");
    this.drawBars(column);
    this.writeCaption();
  }

  /** How wide its name is, with the arrow beside it. */
  get room(): number {
    return textWidth(this.name) + 40;
  }

  get bars(): number {
    return this.column?.bars.length ?? 0;
  }

  /** Keys and pointer: the bar they are on is told in the caption. What is said, for a screen reader. */
  point(bar: number): string {
    if (bar !== this.at) {
      this.at = bar;
      this.picture.querySelectorAll("[data-bar]").forEach((part) => {
        part.classList.toggle("kx-at", part.getAttribute("data-bar") === String(bar));
      });
    }
    this.writeCaption();
    const there = this.column?.bars[bar];
    return there ? say(there) : "";
  }

  get pointed(): number {
    return this.at;
  }

  private barOf(target: EventTarget | null): number {
    const part = target instanceof Element ? target.closest("[data-bar]") : null;
    return part ? Number(part.getAttribute("data-bar")) : -1;
  }

  private writeCaption(): void {
    if (!this.column) return;
    const bar = this.column.bars[this.at];
    const [left, right] = this.brush.range.length > 0 ? sum(this.column, this.brush.range) : bar ? [say(bar), ""] : caption(this.column);
    setText(this.left, left);
    setText(this.right, right);
  }

  private drawBars(column: Column): void {
    const parts: SVGElement[] = [];
    if (column.kind === "different") {
      parts.push(draw("rect", { x: 0, y: 6, width: WIDTH, height: 14, class: "kx-pale" }));
    } else if (inOrder(column) && column.bars.length > 1) {
      const most = Math.max(1, ...column.bars.map((bar) => bar.total));
      const wide = WIDTH / Math.max(6, column.bars.length);
      const tall = (n: number): number => (n === 0 ? 0 : Math.max(1.5, (n / most) * HEIGHT));
      column.bars.forEach((bar, n) => {
        const low = column.missing && n === column.bars.length - 1;
        parts.push(...this.bar(n, column, n * wide, wide * 0.86, tall(bar.total), tall(bar.left), 0, low));
      });
    } else {
      const total = Math.max(1, column.bars.reduce((sum, bar) => sum + bar.total, 0));
      const gap = 1.2;
      const room = WIDTH - gap * Math.max(0, column.bars.length - 1) - column.bars.length;
      let x = 0;
      column.bars.forEach((bar, n) => {
        const wide = 1 + (bar.total / total) * room;
        const low = column.missing && n === column.bars.length - 1;
        const left = bar.total ? (bar.left / bar.total) * wide : 0;
        parts.push(...this.bar(n, column, x, wide, 14, left && Math.max(0.8, left), 6, low));
        x += wide + gap;
      });
    }
    this.picture.replaceChildren(...parts);
  }

  /** Everybody pale, who is left above it, and a place to click as tall as the picture. */
  private bar(n: number, column: Column, x: number, wide: number, all: number, left: number, top: number, low: boolean): SVGElement[] {
    const across = column.kind === "value";
    const bar = column.bars[n];
    const whole = bar !== undefined && bar.left === bar.total && column.chosen.length === 0;
    const group = draw("g", { "data-bar": n, class: `kx-bar${n === this.at ? " kx-at" : ""}` });
    const title = draw("title", {});
    title.textContent = bar ? say(bar) : "";
    const place = (size: number): Record<string, number> =>
      across ? { x, y: top, width: size, height: all } : { x, y: HEIGHT - size, width: wide, height: size };
    group.append(title, draw("rect", { x, y: 0, width: wide, height: HEIGHT, class: "kx-hit" }));
    group.append(draw("rect", { ...place(across ? wide : all), class: whole && !low ? "kx-full" : "kx-pale" }));
    if (!whole && left > 0) group.append(draw("rect", { ...place(left), class: "kx-left" }));
    return [group];
  }
}

// A header: the name of a column, how it is sorted, and a picture of how it is made up, whose bars filter.

import { draw, make, setAttribute, setText } from "./dom.ts";
import { count, type Bar, type Column } from "./view.ts";

const WIDTH = 100;
const HEIGHT = 26;

export interface HeaderActs {
  sort(column: number): void;
  /** Chooses a bar: alone, or beside those that are chosen. */
  choose(column: number, bar: number, add: boolean): void;
}

/** What is chosen after a click on a bar. */
export function chosenAfter(chosen: number[], bar: number, add: boolean): number[] {
  if (add) return chosen.includes(bar) ? chosen.filter((other) => other !== bar) : [...chosen, bar];
  return chosen.length === 1 && chosen[0] === bar ? [] : [bar];
}

export function say(bar: Bar): string {
  return bar.left === bar.total ? `${bar.label}: ${count(bar.total)}` : `${bar.label}: ${count(bar.left)} of ${count(bar.total)}`;
}

/** Of a day, its month: both ends of a column of days stand side by side. */
const brief = (label: string): string => (/^\d{4}-\d\d-\d\d/.test(label) ? label.slice(0, 7) : label);

export function caption(column: Column): [string, string] {
  if (column.chosen.length > 0) {
    const labels = column.chosen.map((bar) => column.bars[bar]?.label ?? "");
    return [labels.length > 3 ? `${labels.length} chosen` : labels.join(", "), ""];
  }
  const real = column.bars.length - Number(column.missing) - Number(column.other);
  const gone = column.missing ? "missing" : "";
  if (column.kind === "different") return [`${count(column.different)} different`, ""];
  if (real <= 0) return ["all missing", ""];
  if (column.kind === "range") {
    const first = brief(column.bars[0]?.label.split(" to ")[0] ?? "");
    const last = brief(column.bars[real - 1]?.label.split(" to ").at(-1) ?? "");
    return [first, gone || (first === last ? "" : last)];
  }
  if (column.different === 1) return [column.bars[0]?.label ?? "", gone];
  return [`${count(column.different)} values`, gone];
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

  constructor(
    private readonly index: number,
    acts: HeaderActs,
  ) {
    this.element = make("div", "kx-header", { role: "columnheader", "aria-colindex": String(index + 1), tabindex: "-1" });
    const line = make("div", "kx-line");
    line.append(this.name, this.arrow);
    this.picture.classList.add("kx-picture");
    const foot = make("div", "kx-caption");
    foot.append(this.left, this.right);
    this.element.append(line, this.picture, foot);
    this.element.addEventListener("click", (event) => {
      const bar = this.barOf(event.target);
      if (bar < 0) acts.sort(index);
      else acts.choose(index, bar, event.ctrlKey || event.metaKey);
    });
    this.picture.addEventListener("pointermove", (event) => this.point(this.barOf(event.target)));
    this.picture.addEventListener("pointerleave", () => this.point(-1));
  }

  renew(column: Column, sort: [number, boolean] | null): void {
    this.column = column;
    if (this.at >= column.bars.length) this.at = -1;
    setText(this.name, column.name);
    setAttribute(this.element, "title", column.name);
    this.element.classList.toggle("kx-number", column.number);
    this.element.classList.toggle("kx-chosen", column.chosen.length > 0);
    const mine = sort !== null && sort[0] === this.index;
    setAttribute(this.element, "aria-sort", mine ? (sort[1] ? "descending" : "ascending") : "none");
    setText(this.arrow, mine ? (sort[1] ? "↓" : "↑") : "");
    this.drawBars(column);
    this.writeCaption();
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
    const [left, right] = bar ? [say(bar), ""] : caption(this.column);
    setText(this.left, left);
    setText(this.right, right);
  }

  private drawBars(column: Column): void {
    const parts: SVGElement[] = [];
    if (column.kind === "different") {
      parts.push(draw("rect", { x: 0, y: 6, width: WIDTH, height: 14, class: "kx-pale" }));
    } else if (column.kind === "range") {
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

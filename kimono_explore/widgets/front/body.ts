// The rows on screen: a few elements that are moved and written anew while one scrolls.

import { make, setAttribute, setText, textWidth } from "./dom.ts";
import { writeMarked } from "./marks.ts";
import type { Row } from "./pages.ts";
import { ROW } from "./scroll.ts";
import type { Column } from "./view.ts";

interface Drawn {
  element: HTMLElement;
  cells: HTMLElement[];
  texts: HTMLElement[];
}

/** Where a pinned column stays: the grid says how far that is. */
export const leftOf = (column: number): string => `var(--kx-left-${column}, auto)`;

export class Body {
  readonly element = make("div", "kx-body", { role: "rowgroup" });
  private drawn = new Map<number, Drawn>();
  private columns: Column[] = [];
  private written = new WeakMap<HTMLElement, string>(); // texts with marks in them

  /** Begins anew: other columns. */
  renew(columns: Column[]): void {
    this.columns = columns;
    this.drawn.clear();
    this.element.replaceChildren();
  }

  /** The same columns, of other rows: other words are marked in them. */
  remark(columns: Column[]): void {
    if (JSON.stringify(this.columns.map(({ marks }) => marks)) !== JSON.stringify(columns.map(({ marks }) => marks)))
      for (const { texts } of this.drawn.values()) for (const text of texts) text.replaceChildren();
    this.written = new WeakMap();
    this.columns = columns;
  }

  /** Shows these rows, the first of them at `top`; one more row is kept for the focus, wherever it is. */
  draw(first: number, last: number, top: number, kept: number, tall: number, row: (n: number) => Row | undefined, picked: Set<number>): void {
    const spare: Drawn[] = [];
    for (const [n, drawn] of this.drawn) {
      if ((n < first || n > last) && n !== kept) {
        this.drawn.delete(n);
        spare.push(drawn);
      }
    }
    for (let n = first; n <= last; n++) this.place(n, top + (n - first) * ROW, row(n), picked, spare);
    if (kept >= 0 && (kept < first || kept > last)) {
      const y = Math.min(Math.max(0, top + (kept - first) * ROW), Math.max(0, tall - ROW));
      this.place(kept, y, row(kept), picked, spare);
      const far = this.drawn.get(kept)?.element;
      if (far) far.classList.add("kx-away");
    }
    for (const drawn of spare) drawn.element.remove();
  }

  /** What is cut off on screen is whole in a title. */
  tell(target: EventTarget | null): void {
    const cell = target instanceof Element ? target.closest(".kx-cell") : null;
    const text = cell?.textContent;
    if (cell && text) setAttribute(cell, "title", text);
  }

  cell(row: number, column: number): HTMLElement | undefined {
    return this.drawn.get(row)?.cells[column];
  }

  /** How wide the widest text on screen is in a column. */
  room(column: number): number {
    const texts = [...this.drawn.values()].map((drawn) => drawn.texts[column]);
    return Math.max(0, ...texts.map((text) => (text ? textWidth(text) + 22 : 0)));
  }

  private place(n: number, y: number, row: Row | undefined, picked: Set<number>, spare: Drawn[]): void {
    let drawn = this.drawn.get(n);
    if (!drawn) {
      drawn = spare.pop() ?? this.make();
      this.insert(n, drawn.element);
      this.drawn.set(n, drawn);
      drawn.element.dataset["row"] = String(n);
      setAttribute(drawn.element, "aria-rowindex", String(n + 2));
      for (const cell of drawn.cells) setAttribute(cell, "tabindex", "-1");
    }
    drawn.element.classList.remove("kx-away");
    drawn.element.style.transform = `translateY(${y}px)`;
    drawn.element.classList.toggle("kx-odd", n % 2 === 1);
    setAttribute(drawn.element, "aria-selected", String(row !== undefined && picked.has(row.at)));
    setAttribute(drawn.element, "aria-busy", row ? null : "true");
    drawn.texts.forEach((text, column) => {
      const value = row?.cells[column];
      this.write(text, value ?? "", this.columns[column]?.marks ?? []);
      const cell = drawn.cells[column];
      // A text gets its title once the pointer is there: to write all of them would cost frames.
      if (cell) setAttribute(cell, "title", row && value === null ? "missing" : null);
    });
  }

  private write(element: HTMLElement, text: string, marks: string[]): void {
    if (marks.length === 0) return setText(element, text);
    if (this.written.get(element) === text) return;
    this.written.set(element, text);
    writeMarked(element, text, marks);
  }

  /** Rows stand in the page as they are read; none is moved that has the focus. */
  private insert(n: number, element: HTMLElement): void {
    let next = Infinity;
    for (const other of this.drawn.keys()) if (other > n && other < next) next = other;
    this.element.insertBefore(element, this.drawn.get(next)?.element ?? null);
  }

  private make(): Drawn {
    const element = make("div", "kx-row", { role: "row" });
    const texts: HTMLElement[] = [];
    const cells = this.columns.map((column, n) => {
      const kind = (column.id ? " kx-id" : column.number ? " kx-number" : "") + (column.pinned ? " kx-pinned" : "");
      const cell = make("div", `kx-cell${kind}`, { role: "gridcell", "aria-colindex": String(n + 1), tabindex: "-1" });
      if (column.pinned) cell.style.left = leftOf(n);
      const text = make("span", "kx-text");
      texts.push(text);
      cell.append(text);
      element.append(cell);
      return cell;
    });
    return { element, cells, texts };
  }
}

// Pages of rows: asked for when they come near the screen, kept while the table stays as it is.

import type { Message } from "./host.ts";

export const PAGE = 200;
const MOST_KEPT = 60;
const MOST_ASKED = 3;

export interface Row {
  at: number;
  cells: (string | null)[];
}

const rowsOf = (at: number[], rows: (string | null)[][]): Row[] =>
  at.map((position, n) => ({ at: position, cells: rows[n] ?? [] }));

export class Pages {
  private kept = new Map<number, Row[]>();
  private asked = new Map<number, number>(); // page by request
  private next = 1;
  private version = -1;
  private first: Row[] = [];

  constructor(private readonly send: (message: Message) => void) {}

  /** Forgets what is of another version of the table; the first rows of this one come with it. */
  renew(version: number, first: { at: number[]; rows: (string | null)[][] }): void {
    if (version === this.version) return;
    this.version = version;
    this.kept.clear();
    this.asked.clear();
    this.first = rowsOf(first.at, first.rows);
  }

  row(index: number): Row | undefined {
    return this.kept.get(Math.floor(index / PAGE))?.[index % PAGE] ?? this.first[index];
  }

  /** Asks for the pages of these rows, and for the one that comes next in the direction of scrolling. */
  want(first: number, last: number, rows: number, direction: number): void {
    if (rows <= this.first.length) return;
    const lastPage = Math.floor((rows - 1) / PAGE);
    const from = Math.floor(Math.max(0, first) / PAGE);
    const to = Math.min(lastPage, Math.floor(Math.max(0, last) / PAGE));
    const wanted: number[] = [];
    for (let page = from; page <= to; page++) wanted.push(page);
    wanted.push(direction < 0 ? from - 1 : to + 1);
    const pending = new Set(this.asked.values());
    for (const page of wanted) {
      if (page < 0 || page > lastPage || this.kept.has(page) || pending.has(page)) continue;
      if (this.asked.size >= MOST_ASKED) return; // asked again with the next frame
      const request = this.next++;
      this.asked.set(request, page);
      this.send({ kind: "page", request, start: page * PAGE });
    }
  }

  /** Takes an answer; false where it is none to a request of ours, or of a table that is not there any more. */
  take(message: Message): boolean {
    const page = this.asked.get(message["request"] as number);
    if (message["kind"] !== "page" || page === undefined) return false;
    this.asked.delete(message["request"] as number);
    if (message["version"] !== this.version) return false;
    this.kept.set(page, rowsOf(message["at"] as number[], message["rows"] as (string | null)[][]));
    if (this.kept.size > MOST_KEPT) {
      const oldest = this.kept.keys().next().value;
      if (oldest !== undefined) this.kept.delete(oldest);
    }
    return true;
  }
}

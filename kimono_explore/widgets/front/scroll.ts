// Which rows are on screen. No browser makes an element as tall as 600,000 rows: beyond the cap, places are in proportion.

export const ROW = 32;
export const TALLEST = 15_000_000;

export interface Span {
  first: number;
  last: number;
  /** Where the first row stands, in px from the top of all rows. */
  top: number;
}

export function heightOf(rows: number): number {
  return Math.min(rows * ROW, TALLEST);
}

/** How far one scrolls at most, in rows and in the px of the element. */
function reach(rows: number, seen: number): { rows: number; px: number } {
  return { rows: Math.max(0, rows * ROW - seen), px: Math.max(0, heightOf(rows) - seen) };
}

/** The rows seen at a place of the scroll bar, and some more on both sides. */
export function spanAt(scrolled: number, seen: number, rows: number, more = 4): Span {
  if (rows === 0) return { first: 0, last: -1, top: 0 };
  const far = reach(rows, seen);
  const place = far.px > 0 ? Math.min(Math.max(0, scrolled), far.px) : 0;
  const within = far.px > 0 ? (place / far.px) * far.rows : 0;
  const first = Math.max(0, Math.floor(within / ROW) - more);
  const last = Math.min(rows - 1, Math.ceil((within + seen) / ROW) - 1 + more);
  return { first, last, top: place - (within - first * ROW) };
}

/** Where the scroll bar must stand so that a row is seen whole; where it is, if the row is. */
export function placeOf(row: number, scrolled: number, seen: number, rows: number): number {
  const far = reach(rows, seen);
  if (far.px === 0) return 0;
  const within = (Math.min(scrolled, far.px) / far.px) * far.rows;
  let wanted = within;
  if (row * ROW < within) wanted = row * ROW;
  else if ((row + 1) * ROW > within + seen) wanted = (row + 1) * ROW - seen;
  else return scrolled;
  return (Math.min(Math.max(0, wanted), far.rows) / far.rows) * far.px;
}

/** Where the scroll bar comes to when it is moved by some px of rows: the same beyond the cap as below it. */
export function movedBy(px: number, scrolled: number, seen: number, rows: number): number {
  const far = reach(rows, seen);
  return far.rows === 0 ? 0 : Math.min(Math.max(0, scrolled + (px * far.px) / far.rows), far.px);
}

// Labels that do not overlap: the important ones first, each where there is room, or not at all.

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const CELL = 64;

/** Boxes by the squares that they touch, so that a new one is compared with its neighbors only. */
export class Room {
  private readonly cells = new Map<string, Box[]>();

  /** Takes the room of a box if nothing is there yet. */
  take(box: Box): boolean {
    const touched = [...cellsOf(box)];
    if (touched.some((cell) => this.cells.get(cell)?.some((other) => overlap(box, other)))) return false;
    this.add(box, touched);
    return true;
  }

  add(box: Box, touched: Iterable<string> = cellsOf(box)): void {
    for (const cell of touched) {
      const here = this.cells.get(cell);
      if (here) here.push(box);
      else this.cells.set(cell, [box]);
    }
  }
}

function* cellsOf(box: Box): Generator<string> {
  for (let x = Math.floor(box.left / CELL); x <= Math.floor(box.right / CELL); x++)
    for (let y = Math.floor(box.top / CELL); y <= Math.floor(box.bottom / CELL); y++) yield `${x},${y}`;
}

export const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** A text cut to a width, with an ellipsis; `wide` measures. */
export function cut(text: string, most: number, wide: (text: string) => number): string {
  if (wide(text) <= most) return text;
  const letters = [...text];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (wide(letters.slice(0, middle).join("") + "…") <= most) low = middle;
    else high = middle - 1;
  }
  return letters.slice(0, low).join("").trimEnd() + "…";
}

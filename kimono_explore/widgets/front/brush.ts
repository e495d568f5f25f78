// A range over bars that stand in an order: the pointer goes down on one, and is let go over another.

export interface BrushActs {
  /** Whether one can drag over these bars. */
  ordered(): boolean;
  bars(): number;
  /** How many places the picture has: as many as bars, or more. */
  places(): number;
  barOf(target: EventTarget | null): number;
  range(from: number, to: number): number[];
  /** Shows a range before it is let go; of no bars, that none is dragged over. */
  show(bars: number[]): void;
  point(bar: number): void;
  done(bars: number[]): void;
}

export class Brush {
  /** Whether the click that comes is the end of dragging. */
  dragged = false;
  /** The bars that are being dragged over. */
  range: number[] = [];
  private from = -1; // the bar that the pointer went down on

  constructor(
    private readonly picture: SVGElement,
    private readonly acts: BrushActs,
  ) {
    picture.addEventListener("pointerdown", (event) => this.begin(event));
    picture.addEventListener("pointermove", (event) => this.move(event));
    picture.addEventListener("pointerup", () => this.letGo());
    picture.addEventListener("pointercancel", () => this.show([]));
    picture.addEventListener("pointerleave", () => this.range.length === 0 && acts.point(-1));
  }

  private begin(event: PointerEvent): void {
    this.dragged = false;
    this.range = [];
    this.from = event.button === 0 && this.acts.ordered() ? this.acts.barOf(event.target) : -1;
  }

  private move(event: PointerEvent): void {
    if (event.buttons !== 1 || this.from < 0) {
      this.from = -1;
      this.acts.point(this.acts.barOf(event.target));
      return;
    }
    const to = this.barAt(event.clientX);
    if (this.range.length === 0 && to === this.from) return; // a click, so far
    this.picture.setPointerCapture(event.pointerId);
    this.dragged = true;
    this.show(this.acts.range(this.from, to));
  }

  private letGo(): void {
    const { range } = this;
    this.from = -1;
    this.show([]);
    if (this.dragged) setTimeout(() => (this.dragged = false)); // after the click that follows
    if (range.length > 0) this.acts.done(range);
  }

  private show(bars: number[]): void {
    this.acts.show((this.range = bars));
  }

  /** The bar at a place of the page, or the nearest to it. */
  private barAt(x: number): number {
    const { left, width } = this.picture.getBoundingClientRect();
    return Math.min(Math.max(0, Math.floor(((x - left) / width) * this.acts.places())), this.acts.bars() - 1);
  }
}

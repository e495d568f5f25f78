// Lines and small pictures, pixel by pixel: paths of twenty thousand take a canvas without a GPU several times as long.

const STRONGEST = 2048; // steps of what lies over a pixel, from nothing to no light left
const WHOLE = 256; // what covers all of a pixel
const OPAQUE = 255 << 24;
const SHIFT = 16;
const PARTS = 1 << SHIFT; // of a pixel
const STEP = 128; // of them a line of full strength at 63 %

export type Rgb = [red: number, green: number, blue: number];

/** The pixels of a small picture that are not empty: how far each is from the middle, its color, and how much it covers. */
export class Picture {
  readonly x: number[] = [];
  readonly y: number[] = [];
  readonly color: number[] = [];
  readonly cover: number[] = [];
  readonly half: number;

  constructor({ width, height, data }: Pick<ImageData, "width" | "height" | "data">) {
    this.half = Math.max(width, height) >> 1;
    const words = new Int32Array(data.buffer);
    words.forEach((word, at) => {
      const alpha = word >>> 24;
      if (alpha === 0) return;
      this.x.push((at % width) - (width >> 1));
      this.y.push(Math.floor(at / width) - (height >> 1));
      this.color.push(word | OPAQUE);
      this.cover.push(strengthOf(alpha));
    });
  }
}

/** What a line adds where it passes, so that any number of them add up to what they would cover one over the other. */
export const weightOf = (alpha: number): number => Math.max(1, Math.round(-Math.log(1 - Math.min(0.999, alpha)) * STEP));

const COVER = Int32Array.from({ length: STRONGEST }, (_, sum) => Math.round(WHOLE * (1 - Math.exp(-sum / STEP))));

export class Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  private readonly words: Int32Array;
  private readonly sums: Int32Array;

  constructor(readonly width: number, readonly height: number) {
    this.data = new Uint8ClampedArray(width * height * 4);
    this.words = new Int32Array(this.data.buffer);
    this.sums = new Int32Array(width * height);
  }

  fill([red, green, blue]: Rgb): void {
    this.data.set([red, green, blue, 255]);
    this.words.fill(this.words[0] ?? 0);
  }

  /** A straight line without its last pixel, noted until `cover`; `dash` is on and off in pixels. */
  line(x0: number, y0: number, x1: number, y1: number, weight: number, dash?: readonly number[]): void {
    const { width } = this;
    const long = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    const dx = (x1 - x0) / long;
    const dy = (y1 - y0) / long;
    const first = Math.ceil(Math.max(0, entry(x0, dx, width), entry(y0, dy, this.height)));
    const last = Math.min(long, exit(x0, dx, width), exit(y0, dy, this.height));
    const on = dash?.[0] ?? long;
    const period = on + (dash?.[1] ?? 0);
    for (let n = first; n < last; n = (Math.floor(n / period) + 1) * period) {
      const end = Math.min(last, Math.floor(n / period) * period + on);
      this.stretch(x0 + dx * n, y0 + dy * n, dx, dy, Math.ceil(end - n), weight);
    }
  }

  /** So many steps from a place, in whole numbers: a place is counted in parts of a pixel. */
  private stretch(x: number, y: number, dx: number, dy: number, steps: number, weight: number): void {
    const { sums, width } = this;
    const right = (dx * PARTS) | 0;
    const down = (dy * PARTS) | 0;
    let column = (x * PARTS) | 0;
    let row = (y * PARTS) | 0;
    for (let n = 0; n < steps; n++) {
      const at = (row >> SHIFT) * width + (column >> SHIFT);
      sums[at] = sums[at]! + weight;
      column += right;
      row += down;
    }
  }

  /** Covers what lines have passed with a color. */
  cover([red, green, blue]: Rgb): void {
    const { sums, words } = this;
    const color = OPAQUE | (blue << 16) | (green << 8) | red;
    for (let at = 0; at < sums.length; at++) {
      const sum = sums[at]!;
      if (sum === 0) continue;
      sums[at] = 0;
      words[at] = blended(words[at]!, color, COVER[sum < STRONGEST ? sum : STRONGEST - 1]!);
    }
  }

  /** A picture with its middle at a place. */
  stamp(picture: Picture, x: number, y: number): void {
    const { words, width, height } = this;
    const left = Math.floor(x);
    const top = Math.floor(y);
    const { half } = picture;
    const inside = left >= half && top >= half && left + half < width && top + half < height;
    for (let n = 0; n < picture.color.length; n++) {
      const column = left + picture.x[n]!;
      const row = top + picture.y[n]!;
      if (!inside && (column < 0 || row < 0 || column >= width || row >= height)) continue;
      const at = row * width + column;
      const cover = picture.cover[n]!;
      words[at] = cover === WHOLE ? picture.color[n]! : blended(words[at]!, picture.color[n]!, cover);
    }
  }
}

const EDGE = 0.01; // of a pixel, so that no rounding leaves the picture

/** After how many steps from a place one is between 0 and an end. */
const entry = (from: number, step: number, end: number): number =>
  step > 0 ? -from / step : step < 0 ? (end - EDGE - from) / step : from >= 0 && from < end ? 0 : Infinity;

/** After how many steps one is beyond. */
const exit = (from: number, step: number, end: number): number => (step > 0 ? (end - EDGE - from) / step : step < 0 ? (EDGE - from) / step : Infinity);

const strengthOf = (alpha: number): number => alpha + (alpha >> 7);

/** A pixel under a color: both as they are in memory, with red lowest. Two of its parts are mixed at a time. */
function blended(under: number, color: number, cover: number): number {
  const pairs = 0xff00ff;
  const most = WHOLE - cover;
  const outer = (((under & pairs) * most + (color & pairs) * cover) >>> 8) & pairs;
  const green = (((under >> 8) & 255) * most + ((color >> 8) & 255) * cover) & 0xff00;
  return OPAQUE | outer | green;
}

/** Red, green and blue of "#0072B2". */
export function partsOf(color: string): Rgb {
  const value = parseInt(color.slice(1, 7), 16) || 0;
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// A scene of many nodes: its lines and nodes are drawn pixel by pixel, its names over them.

import { toScreen } from "./camera.ts";
import { partsOf, Picture, Pixels, weightOf, type Rgb } from "./pixels.ts";
import { lookWidth, planOf, type Lines } from "./plan.ts";
import { radius, shrunk } from "./scene.ts";
import { curve, isOutside, node, paintOver, texts, type Circle, type Drawing } from "./shapes.ts";

const FEW = 1_500; // lines and nodes in view, up to which shapes are drawn as fast, and finer
const BEND = 60; // pixels of a curve that are drawn as one straight line, at least
const MOST_PARTS = 8; // of a curve

export class Many {
  private pixels = new Pixels(0, 0);
  private readonly sketch = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;

  /** Draws all of it, if so much is in view that shapes would take long. */
  paint(context: CanvasRenderingContext2D, drawing: Drawing, ratio: number): boolean {
    if (!hasMany(drawing)) return false;
    const [width, height] = [Math.round(drawing.size.width * ratio), Math.round(drawing.size.height * ratio)];
    if (this.pixels.width !== width || this.pixels.height !== height) this.pixels = new Pixels(width, height);
    this.pixels.fill(this.parts(drawing.theme.bg));
    this.addLines(drawing, ratio);
    this.addNodes(drawing, ratio);
    context.putImageData(new ImageData(this.pixels.data, width, height), 0, 0);
    paintOver(context, texts(drawing), drawing.theme);
    return true;
  }

  private addLines(drawing: Drawing, ratio: number): void {
    const { lines } = planOf(drawing);
    lines.forEach((alike, n) => {
      this.addAlike(drawing, alike, ratio);
      const { color } = alike.look;
      if (lines[n + 1]?.look.color !== color) this.pixels.cover(this.parts(color));
    });
  }

  private addAlike(drawing: Drawing, { look, members }: Lines, ratio: number): void {
    const { scene, camera, size } = drawing;
    const wide = lookWidth(look, camera) * ratio;
    const beside = Math.max(1, Math.round(wide));
    const weight = weightOf((look.alpha * wide) / beside);
    const dash = look.dash?.map((part) => Math.round(part * ratio));
    for (const n of members) {
      const a = scene.from[n] ?? 0;
      const b = scene.to[n] ?? 0;
      const [x0, y0] = toScreen(camera, size, scene.x[a] ?? 0, scene.y[a] ?? 0);
      const [x1, y1] = toScreen(camera, size, scene.x[b] ?? 0, scene.y[b] ?? 0);
      if (isOutside(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1), size)) continue;
      const points = straightened(curve(scene.columns.length > 0, x0, y0, x1, y1));
      for (let lane = 0; lane < beside; lane++) this.addLine(points, ratio, lane - (beside - 1) / 2, weight, dash);
    }
  }

  private addLine(points: readonly number[], ratio: number, off: number, weight: number, dash: readonly number[] | undefined): void {
    for (let n = 0; n + 3 < points.length; n += 2) {
      const x0 = points[n]! * ratio;
      const y0 = points[n + 1]! * ratio;
      const x1 = points[n + 2]! * ratio;
      const y1 = points[n + 3]! * ratio;
      const flat = Math.abs(x1 - x0) > Math.abs(y1 - y0);
      const right = flat ? 0 : off;
      const down = flat ? off : 0;
      this.pixels.line(x0 + right, y0 + down, x1 + right, y1 + down, weight, dash);
    }
  }

  private addNodes(drawing: Drawing, ratio: number): void {
    const { scene, camera, size, selected, near } = drawing;
    const pictures = new Map<string, Picture>();
    for (let n = 0; n < scene.ids.length; n++) {
      const [x, y] = toScreen(camera, size, scene.x[n] ?? 0, scene.y[n] ?? 0);
      const r = shrunk(radius(scene, n), camera.scale);
      if (isOutside(x - r, y - r, x + r, y + r, size)) continue;
      const look = `${scene.kinds[n]}|${r}|${scene.counts[n]}|${scene.missing[n]}|${scene.findings[n] ? 1 : 0}|${n === selected}|${near?.has(n) ?? true}`;
      let picture = pictures.get(look);
      if (!picture) pictures.set(look, (picture = this.sketched([...node(drawing, n, 0, 0)], drawing, ratio)));
      this.pixels.stamp(picture, x * ratio, y * ratio);
    }
  }

  /** Circles, as a small picture. */
  private sketched(circles: Circle[], { theme }: Drawing, ratio: number): Picture {
    const half = Math.ceil(Math.max(...circles.map(({ x, y, r, width }) => Math.max(Math.abs(x), Math.abs(y)) + r + width)) * ratio);
    const { canvas } = this.sketch;
    canvas.width = canvas.height = half * 2 + 1;
    this.sketch.setTransform(ratio, 0, 0, ratio, half + 0.5, half + 0.5);
    paintOver(this.sketch, circles, theme);
    return new Picture(this.sketch.getImageData(0, 0, canvas.width, canvas.height));
  }

  /** Any color of CSS as red, green and blue. */
  private parts(color: string): Rgb {
    this.sketch.fillStyle = color;
    return partsOf(String(this.sketch.fillStyle));
  }
}

function hasMany({ scene, camera, size }: Drawing): boolean {
  let seen = 0;
  for (let n = 0; n < scene.from.length && seen <= FEW; n++) {
    const [a, b] = [scene.from[n] ?? 0, scene.to[n] ?? 0];
    const [x0, y0] = toScreen(camera, size, scene.x[a] ?? 0, scene.y[a] ?? 0);
    const [x1, y1] = toScreen(camera, size, scene.x[b] ?? 0, scene.y[b] ?? 0);
    if (!isOutside(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1), size)) seen++;
  }
  for (let n = 0; n < scene.ids.length && seen <= FEW; n++) {
    const [x, y] = toScreen(camera, size, scene.x[n] ?? 0, scene.y[n] ?? 0);
    if (!isOutside(x, y, x, y, size)) seen++;
  }
  return seen > FEW;
}

/** A curve as straight lines, point by point; what is straight stays. */
function straightened(points: number[]): number[] {
  if (points.length === 4) return points;
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0] = points;
  const parts = Math.min(MOST_PARTS, Math.max(2, Math.ceil((Math.abs(x3 - x0) + Math.abs(y3 - y0)) / BEND)));
  const straight = [x0, y0];
  for (let n = 1; n <= parts; n++) {
    const t = n / parts;
    const u = 1 - t;
    const a = u * u * u;
    const b = 3 * t * u * u;
    const c = 3 * t * t * u;
    const d = t * t * t;
    straight.push(a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3);
  }
  return straight;
}

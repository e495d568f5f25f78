// What a scene looks like, as circles, lines and texts: drawn on a canvas, or written as SVG. One drawing, two pens.

import { toScreen, type Camera, type Size } from "./camera.ts";
import { cut, Room, type Box } from "./labels.ts";
import { isFaded, lookWidth, outline, planOf } from "./plan.ts";
import { FONT, fontOf } from "./widths.ts";
import { radius, shrunk, type Colors, type Scene } from "./scene.ts";

export interface Theme {
  bg: string;
  ink: string;
  quiet: string;
  accent: string;
  danger: string;
  control: string;
  dark: boolean;
}

export type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export type Circle = { kind: "circle"; x: number; y: number; r: number; fill: string; stroke: string; width: number; dash?: number[]; alpha: number };

export type Shape =
  | { kind: "line"; points: number[]; color: string; width: number; dash?: number[]; alpha: number }
  | Circle
  | { kind: "text"; x: number; y: number; text: string; size: number; bold: boolean; color: string; align: "left" | "center"; halo: boolean };

export interface Drawing {
  scene: Scene;
  camera: Camera;
  size: Size;
  theme: Theme;
  colors: Colors;
  selected: number | undefined;
  near: Set<number> | undefined; // what is linked with the selected node; the rest is faded
  wide: (text: string, size: number, bold: boolean) => number;
}

const MOST_LABELS = 400;
const MOST_BOXES = 2_000; // of nodes that no label covers

export function shapesOf(drawing: Drawing): Shape[] {
  return [...lines(drawing), ...nodes(drawing), ...texts(drawing)];
}

function* lines(drawing: Drawing): Generator<Shape> {
  const { scene, camera, size } = drawing;
  for (const { look, members } of planOf(drawing).lines) {
    const { color, dash, alpha } = look;
    for (const n of members) {
      const [a, b] = [scene.from[n] ?? 0, scene.to[n] ?? 0];
      const [x0, y0] = toScreen(camera, size, scene.x[a] ?? 0, scene.y[a] ?? 0);
      const [x1, y1] = toScreen(camera, size, scene.x[b] ?? 0, scene.y[b] ?? 0);
      if (isOutside(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1), size)) continue;
      const points = curve(scene.columns.length > 0, x0, y0, x1, y1);
      yield { kind: "line", points, color, width: lookWidth(look, camera), ...(dash ? { dash } : {}), alpha };
    }
  }
}

/** From column to column a line leaves and comes flat; within one it goes round. */
export function curve(layers: boolean, x0: number, y0: number, x1: number, y1: number): number[] {
  if (!layers) return [x0, y0, x1, y1];
  if (Math.abs(x1 - x0) < 1) {
    const off = Math.min(60, Math.abs(y1 - y0) / 2);
    return [x0, y0, x0 - off, y0, x1 - off, y1, x1, y1];
  }
  const middle = (x0 + x1) / 2;
  return [x0, y0, middle, y0, middle, y1, x1, y1];
}

function* nodes(drawing: Drawing): Generator<Shape> {
  const { scene, camera, size } = drawing;
  for (let n = 0; n < scene.ids.length; n++) {
    const [x, y] = toScreen(camera, size, scene.x[n] ?? 0, scene.y[n] ?? 0);
    const r = shrunk(radius(scene, n), camera.scale);
    if (!isOutside(x - r, y - r, x + r, y + r, size)) yield* node(drawing, n, x, y);
  }
}

/** A node as circles, the lowest first. */
export function* node({ scene, camera, theme, colors, selected, near }: Drawing, n: number, x: number, y: number): Generator<Circle> {
  const r = shrunk(radius(scene, n), camera.scale);
  const kind = scene.kinds[n] ?? "";
  const group = (scene.counts[n] ?? 1) > 1;
  const alpha = isFaded(n, selected, near) ? 0.3 : 1;
  const missing = Boolean(scene.missing[n]);
  const edge = missing ? theme.danger : outline(colors, kind, theme);
  if (n === selected) yield { kind: "circle", x, y, r: r + 5, fill: theme.bg, stroke: theme.accent, width: 2.5, alpha: 1 };
  if (group) yield { kind: "circle", x, y, r: r + 3, fill: theme.bg, stroke: edge, width: 1.2, alpha };
  const fill = missing ? theme.bg : colors[kind]?.[0] ?? theme.control;
  yield { kind: "circle", x, y, r, fill, stroke: edge, width: r < 4 ? 0.8 : 1.5, ...(missing ? { dash: [3, 3] } : {}), alpha };
  if (scene.findings[n] && r > 4) {
    const off = (r + (group ? 3 : 0)) * 0.72;
    yield { kind: "circle", x: x + off, y: y - off, r: 4.5, fill: theme.danger, stroke: theme.bg, width: 1.5, alpha };
  }
}

/** White or black, whichever can be read on a color. */
export function onColor(color: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0) > 0.18 ? "#101214" : "#FFFFFF";
}

export function* texts(drawing: Drawing): Generator<Shape> {
  const { scene, camera, size, theme, colors, selected, near, wide } = drawing;
  const room = new Room();
  const place = (n: number): [number, number] => toScreen(camera, size, scene.x[n] ?? 0, scene.y[n] ?? 0);
  let seen = 0;
  for (let n = 0; n < scene.ids.length && seen < MOST_BOXES; n++) {
    const r = shrunk(radius(scene, n), camera.scale);
    const [x, y] = place(n);
    if (!inside([x, y], size)) continue;
    seen++;
    const count = scene.counts[n] ?? 1;
    room.add({ left: x - r, right: x + r, top: y - r, bottom: y + r });
    if (count > 1 && r > 8 && !scene.missing[n])
      yield { kind: "text", x, y, text: count.toLocaleString("en-US"), size: count > 999 ? 10 : 11, bold: true, color: onColor(colors[scene.kinds[n] ?? ""]?.[0] ?? "#888888"), align: "center", halo: false };
    else if (scene.missing[n] && r > 6) yield { kind: "text", x, y, text: "?", size: 12, bold: true, color: theme.danger, align: "center", halo: false };
  }
  for (const [x, words] of scene.columns) {
    const [middle] = toScreen(camera, size, x, 0);
    const half = wide(words, 11, false) / 2;
    if (room.take({ left: middle - half - 4, right: middle + half + 4, top: 8, bottom: 26 }))
      yield { kind: "text", x: middle, y: 17, text: words, size: 11, bold: false, color: theme.quiet, align: "center", halo: true };
  }
  const below = fewInColumns(scene) && camera.scale > 0.5;
  let labels = 0;
  for (const n of planOf(drawing).order) {
    const [x, y] = place(n);
    if (!inside([x, y], size)) continue;
    if (++labels > MOST_LABELS) break;
    const r = shrunk(radius(scene, n), camera.scale) + ((scene.counts[n] ?? 1) > 1 ? 3 : 0);
    const main = n === selected || n === scene.focus || (scene.counts[n] ?? 1) > 1 || Boolean(scene.missing[n]);
    const faded = isFaded(n, selected, near);
    const color = scene.missing[n] ? theme.danger : faded ? theme.quiet : theme.ink;
    const most = below ? Math.max(110, 225 * Math.min(1, camera.scale)) : 220;
    const text = cut(scene.labels[n] ?? "", most, (part) => wide(part, 12, main)) + ((scene.counts[n] ?? 1) > 1 ? " ▸" : "");
    const note = camera.scale > 0.55 && (below || n === selected || n === scene.focus) ? cut(scene.notes[n] ?? "", most, (part) => wide(part, 11, false)) : "";
    const width = Math.max(wide(text, 12, main), wide(note, 11, false));
    const high = note ? 32 : 16;
    const keeps = x >= 0 && x <= size.width && width + 8 < size.width; // a name of a node in view is not cut by the edge
    const middle = keeps ? Math.min(Math.max(x, width / 2 + 4), size.width - width / 2 - 4) : x;
    const places: [Box, "left" | "center", number, number][] = [
      [{ left: middle - width / 2, right: middle + width / 2, top: y + r + 3, bottom: y + r + 3 + high }, "center", middle, y + r + 11],
      [{ left: x + r + 6, right: x + r + 6 + width, top: y - high / 2, bottom: y + high / 2 }, "left", x + r + 6, y - (high - 16) / 2],
      [{ left: middle - width / 2, right: middle + width / 2, top: y - r - 3 - high, bottom: y - r - 3 }, "center", middle, y - r - high + 5],
    ];
    let found = (below ? places : [places[1], places[0], places[2]]).find((one) => one && room.take(one[0]));
    if (!found && (n === selected || n === scene.focus)) room.add((found = places[2]!)[0]); // what one looks at has its name, over others
    if (!found) continue;
    yield { kind: "text", x: found[2], y: found[3], text, size: 12, bold: main, color, align: found[1], halo: true };
    if (note) yield { kind: "text", x: found[2], y: found[3] + 16, text: note, size: 11, bold: false, color: scene.findings[n] ? theme.danger : theme.quiet, align: found[1], halo: true };
  }
  yield* relations({ scene, camera, size, theme, selected, wide }, room);
}

/** What the links are called, where there are few, or those of the selected node. */
function* relations(drawing: Pick<Drawing, "scene" | "camera" | "size" | "theme" | "selected" | "wide">, room: Room): Generator<Shape> {
  const { scene, camera, size, theme, selected, wide } = drawing;
  const main = selected ?? scene.focus ?? undefined;
  if (camera.scale < 0.45) return;
  let drawn = 0;
  for (let n = 0; n < scene.from.length && drawn < 12; n++) {
    const [a, b] = [scene.from[n] ?? 0, scene.to[n] ?? 0];
    if (main === undefined ? scene.from.length > 12 : a !== main && b !== main) continue;
    const [x0, y0] = toScreen(camera, size, scene.x[a] ?? 0, scene.y[a] ?? 0);
    const [x1, y1] = toScreen(camera, size, scene.x[b] ?? 0, scene.y[b] ?? 0);
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const text = scene.relations[scene.relation[n] ?? 0] ?? "";
    const half = wide(text, 11, false) / 2;
    if (!room.take({ left: x - half, right: x + half, top: y - 8, bottom: y + 8 })) continue;
    drawn += 1;
    yield { kind: "text", x, y, text, size: 11, bold: false, color: scene.missing[a] || scene.missing[b] ? theme.danger : theme.quiet, align: "center", halo: true };
  }
}

/** Whether names fit below the nodes: where columns hold few. */
export function fewInColumns(scene: Scene): boolean {
  const columns = new Map<number, number>();
  for (const x of scene.x) columns.set(x, (columns.get(x) ?? 0) + 1);
  return scene.columns.length > 0 && Math.max(0, ...columns.values()) <= 6;
}

export const isOutside = (left: number, top: number, right: number, bottom: number, size: Size): boolean => right < 0 || bottom < 0 || left > size.width || top > size.height;
const inside = ([x, y]: [number, number], size: Size): boolean => x > -20 && y > -20 && x < size.width + 20 && y < size.height + 20;

export function paint(context: CanvasRenderingContext2D, shapes: readonly Shape[], size: Size, theme: Theme): void {
  context.fillStyle = theme.bg;
  context.fillRect(0, 0, size.width, size.height);
  paintOver(context, shapes, theme);
}

/** Shapes over what is there. */
export function paintOver(context: Pen, shapes: Iterable<Shape>, theme: Theme): void {
  context.textBaseline = "middle";
  context.lineJoin = "round";
  let before = "";
  let filled = false;
  const finish = (): void => {
    if (before && filled) context.fill();
    if (before) context.stroke();
    before = "";
    context.globalAlpha = 1;
  };
  for (const shape of shapes) {
    if (shape.kind === "text") {
      finish();
      context.font = fontOf(shape.size, shape.bold);
      context.textAlign = shape.align;
      if (shape.halo) {
        context.strokeStyle = theme.bg;
        context.lineWidth = 5; // links behind a name do not touch it
        context.strokeText(shape.text, shape.x, shape.y);
      }
      context.fillStyle = shape.color;
      context.fillText(shape.text, shape.x, shape.y);
      continue;
    }
    // Lines, and circles, of one look are one path: a large graph is drawn many times as fast.
    const look = lookOf(shape);
    if (look !== before) {
      finish();
      before = look;
      context.globalAlpha = shape.alpha;
      context.setLineDash(shape.dash ?? []);
      context.lineWidth = shape.width;
      context.strokeStyle = shape.kind === "line" ? shape.color : shape.stroke;
      filled = shape.kind === "circle";
      if (shape.kind === "circle") context.fillStyle = shape.fill;
      context.beginPath();
    }
    if (shape.kind === "line") {
      const [a = 0, b = 0, ...rest] = shape.points;
      context.moveTo(a, b);
      if (rest.length === 2) context.lineTo(rest[0] ?? 0, rest[1] ?? 0);
      else context.bezierCurveTo(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0, rest[4] ?? 0, rest[5] ?? 0);
    } else {
      context.moveTo(shape.x + shape.r, shape.y);
      context.arc(shape.x, shape.y, shape.r, 0, 2 * Math.PI);
    }
  }
  finish();
  context.setLineDash([]);
}

const lookOf = (shape: Exclude<Shape, { kind: "text" }>): string =>
  `${shape.kind}|${shape.width}|${shape.alpha}|${shape.dash ?? ""}|${shape.kind === "line" ? shape.color : `${shape.fill}|${shape.stroke}`}`;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const short = (value: number): string => String(Math.round(value * 10) / 10);

export function svgOf(shapes: readonly Shape[], size: Size, theme: Theme, title: string): string {
  const parts = shapes.map((shape) => {
    if (shape.kind === "text") {
      const halo = shape.halo ? ` stroke="${theme.bg}" stroke-width="5" paint-order="stroke" stroke-linejoin="round"` : "";
      return `<text x="${short(shape.x)}" y="${short(shape.y)}" fill="${shape.color}" font-size="${shape.size}"${shape.bold ? ' font-weight="600"' : ""} text-anchor="${shape.align === "center" ? "middle" : "start"}" dominant-baseline="central"${halo}>${escaped(shape.text)}</text>`;
    }
    const more = `stroke-width="${short(shape.width)}"${shape.dash ? ` stroke-dasharray="${shape.dash.join(" ")}"` : ""}${shape.alpha < 1 ? ` opacity="${shape.alpha}"` : ""}`;
    if (shape.kind === "circle") return `<circle cx="${short(shape.x)}" cy="${short(shape.y)}" r="${short(shape.r)}" fill="${shape.fill}" stroke="${shape.stroke}" ${more}/>`;
    const [a = 0, b = 0, ...rest] = shape.points;
    return `<path d="M${short(a)} ${short(b)}${rest.length === 2 ? "L" : "C"}${rest.map(short).join(" ")}" fill="none" stroke="${shape.color}" ${more}/>`;
  });
  const box = `width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family='${FONT}' role="img"><title>${escaped(title)}</title><rect width="100%" height="100%" fill="${theme.bg}"/>${parts.join("")}</svg>\n`;
}

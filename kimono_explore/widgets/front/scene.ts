// What Python says of a graph (scene.py), and what is drawn of it.

export interface Scene {
  ids: string[];
  labels: string[];
  notes: string[];
  kinds: string[];
  missing: number[];
  counts: number[];
  findings: number[];
  /** 1: a filter leaves it out. */
  faded: number[];
  x: number[];
  y: number[];
  from: number[];
  to: number[];
  relation: number[];
  relations: string[];
  many: number[];
  columns: [number, string][];
  legend: [string, string][];
  focus: number | null;
}

export const EMPTY: Scene = {
  ids: [], labels: [], notes: [], kinds: [], missing: [], counts: [], findings: [], faded: [], x: [], y: [], from: [], to: [],
  relation: [], relations: [], many: [], columns: [], legend: [], focus: null,
};

export interface Info {
  title: string;
  id: string;
  note: string;
  alarm: string;
  head: string;
  rows: [string, string, string, number][];
  more: number;
  group: boolean;
}

export type Colors = Record<string, [string, string, string]>;

/** The radius of a node at the scale of 1, in pixels. */
export function radius(scene: Scene, n: number): number {
  const count = scene.counts[n] ?? 1;
  if (count > 1) return Math.min(30, 11 + 1.6 * Math.sqrt(count));
  return n === scene.focus ? 16 : scene.kinds[n] === "org" ? 12 : 9;
}

/** How large nodes are at a scale: they shrink more slowly than the distances between them. */
export const shrunk = (size: number, scale: number): number => Math.max(1.6, size * Math.min(1.25, scale ** 0.75 * (scale < 0.35 ? scale / 0.35 : 1)));

/** The node at a place, or undefined; where they overlap, the upper one, which was drawn last. */
export function nodeAt(scene: Scene, x: number, y: number, scale: number): number | undefined {
  let best: number | undefined;
  let nearest = Infinity;
  for (let n = 0; n < scene.ids.length; n++) {
    const reach = shrunk(radius(scene, n), scale) / scale + 4 / scale;
    const apart = Math.hypot((scene.x[n] ?? 0) - x, (scene.y[n] ?? 0) - y);
    if (apart <= reach && apart / reach <= nearest) [best, nearest] = [n, apart / reach];
  }
  return best;
}

/** The nearest node in a direction, for the arrow keys: what is ahead counts, what is beside it counts against it. */
export function nodeToward(scene: Scene, from: number, dx: number, dy: number): number | undefined {
  let best: number | undefined;
  let least = Infinity;
  const [x, y] = [scene.x[from] ?? 0, scene.y[from] ?? 0];
  for (let n = 0; n < scene.ids.length; n++) {
    const ahead = ((scene.x[n] ?? 0) - x) * dx + ((scene.y[n] ?? 0) - y) * dy;
    const beside = Math.abs(((scene.x[n] ?? 0) - x) * dy) + Math.abs(((scene.y[n] ?? 0) - y) * dx);
    if (n === from || ahead <= 0 || beside > ahead * 3) continue;
    const cost = ahead + 2 * beside;
    if (cost < least) [best, least] = [n, cost];
  }
  return best;
}

// What of a drawing stays while one moves: which lines look alike, and whose name comes first.

import type { Camera } from "./camera.ts";
import type { Colors, Scene } from "./scene.ts";
import type { Drawing, Theme } from "./shapes.ts";

const DENSE = 150; // lines above which each is thinner and paler

export interface Look {
  color: string;
  /** In pixels at the scale of 1. */
  width: number;
  dash?: number[];
  alpha: number;
}

export interface Lines {
  look: Look;
  /** Positions among the scene's links. */
  members: number[];
}

export interface Plan {
  /** The lowest first: those of the object in the middle are the picture, the others stand behind it. */
  lines: Lines[];
  /** All nodes, those whose names matter most first. */
  order: Uint32Array;
}

type Facts = Pick<Drawing, "scene" | "theme" | "colors" | "selected" | "near">;

export const outline = (colors: Colors, kind: string, theme: Theme): string => colors[kind]?.[theme.dark ? 2 : 1] ?? theme.control;

/** Whether a node is pale, as another is selected that it is not linked with. */
export const isFaded = (n: number, selected: number | undefined, near: Set<number> | undefined): boolean =>
  near !== undefined && n !== selected && !near.has(n);

export const lookWidth = (look: Look, camera: Camera): number => look.width * Math.min(1, camera.scale + 0.35);

const kept = new WeakMap<Scene, { facts: Facts; plan: Plan }>();

/** The plan of a drawing, made anew only where something else is selected, or has another color. */
export function planOf({ scene, theme, colors, selected, near }: Drawing): Plan {
  const before = kept.get(scene);
  const facts = { scene, theme, colors, selected, near };
  if (before && (Object.keys(facts) as (keyof Facts)[]).every((name) => before.facts[name] === facts[name])) return before.plan;
  const plan = { lines: linesOf(facts), order: orderOf(facts) };
  kept.set(scene, { facts, plan });
  return plan;
}

function linesOf(facts: Facts): Lines[] {
  const { scene, selected } = facts;
  const main = selected ?? scene.focus ?? undefined;
  const [behind, front] = [new Map<string, Lines>(), new Map<string, Lines>()];
  for (let n = 0; n < scene.from.length; n++) {
    const touches = main !== undefined && (scene.from[n] === main || scene.to[n] === main);
    const look = lookOf(facts, n, main, touches);
    const layer = touches ? front : behind;
    const key = `${look.color}|${look.width}|${look.dash ?? ""}|${look.alpha}`;
    const alike = layer.get(key);
    if (alike) alike.members.push(n);
    else layer.set(key, { look, members: [n] });
  }
  return [...behind.values(), ...front.values()];
}

function lookOf({ scene, theme, colors }: Facts, n: number, main: number | undefined, touches: boolean): Look {
  const [a, b] = [scene.from[n] ?? 0, scene.to[n] ?? 0];
  const dense = scene.from.length > DENSE;
  const missing = scene.missing[a] || scene.missing[b];
  const people = [scene.kinds[a] ?? "", scene.kinds[b] ?? ""].find((kind) => kind === "student" || kind === "teacher");
  const color = missing ? theme.danger : people !== undefined ? outline(colors, people, theme) : theme.control;
  const most = touches ? 6 : dense ? 2 : 3;
  const width = Math.min(most, Math.max(touches && !dense ? 1.6 : 0.8, Math.sqrt(scene.many[n] ?? 1) * 0.8));
  const alpha = touches && !dense ? 1 : touches ? 0.6 : main === undefined ? (dense ? 0.35 : 0.8) : 0.22;
  return { color, width, ...(missing ? { dash: [5, 4] } : {}), alpha };
}

function orderOf({ scene, selected, near }: Facts): Uint32Array {
  const weights = Float64Array.from(scene.counts);
  for (const ends of [scene.from, scene.to]) for (const end of ends) weights[end] = (weights[end] ?? 0) + 1;
  for (let n = 0; n < weights.length; n++)
    weights[n] = (weights[n] ?? 0) +
      (n === selected ? 1e6 : 0) + (n === scene.focus ? 1e5 : 0) + (near?.has(n) ? 1e4 : 0) + (scene.missing[n] ? 3e3 : 0) + (scene.findings[n] ? 2e3 : 0);
  return Uint32Array.from(scene.ids, (_, n) => n).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
}

// When things happened, as bars: one drags over them, or goes along them with the keyboard, as in the headers of a table.

import { Brush } from "./brush.ts";
import type { Part, Say, State } from "./controls.ts";
import { draw, make, setAttribute, setText } from "./dom.ts";
import { between, chosenAfter } from "./header.ts";
import { count } from "./view.ts";

type Bar = [words: string, counts: number[]];
type Kind = [words: string, light: string, dark: string];

const TALL = 56;
const WIDE = 10;

const sum = (counts: number[]): number => counts.reduce((all, one) => all + one, 0);

/** A time in words, and how many tasks it has. */
export function sayBars(bars: Bar[], chosen: number[]): string {
  const [first, last] = [bars[Math.min(...chosen)], bars[Math.max(...chosen)]];
  if (!first || !last) return "";
  const [begin, end] = [first[0].split(" to ")[0] ?? "", last[0].split(" to ").at(-1) ?? ""];
  const tasks = chosen.reduce((all, n) => all + sum(bars[n]?.[1] ?? []), 0);
  return `${begin === end ? begin : `${begin} to ${end}`}: ${count(tasks)} ${tasks === 1 ? "task" : "tasks"}`;
}

export function timeline(say: Say): Part {
  const element = make("div", "kx-timeline");
  const picture = draw("svg", { preserveAspectRatio: "none", role: "slider", tabindex: 0, class: "kx-times" });
  const [left, middle, right] = [make("span", ""), make("span", "kx-now"), make("span", "")];
  const foot = make("div", "kx-ends");
  const legend = make("div", "kx-legend");
  foot.append(left, middle, right);
  element.append(picture, foot, legend);
  let bars: Bar[] = [];
  let chosen: number[] = [];
  let at = -1; // the bar that keys, or the pointer, are on
  let from = 0; // the bar where Shift began
  let drawn = "";

  const range = (one: number, other: number): number[] => between({ bars, missing: false, other: false }, one, other);
  const choose = (some: number[]): void => say({ kind: "set", value: some.length > 0 ? [Math.min(...some), Math.max(...some)] : [] });
  const barOf = (target: EventTarget | null): number => Number((target instanceof Element && target.closest("[data-bar]")?.getAttribute("data-bar")) || -1);
  const write = (some: number[]): void => {
    const most = Math.max(0, ...bars.map(([, counts]) => sum(counts)));
    setText(middle, some.length > 0 ? sayBars(bars, some) : `at most ${count(most)} at a time`);
  };
  const point = (bar: number): void => {
    at = bar;
    picture.querySelectorAll("[data-bar]").forEach((part, n) => part.classList.toggle("kx-at", n === bar));
    write(bar >= 0 ? [bar] : chosen);
    setAttribute(picture, "aria-valuenow", String(Math.max(0, bar)));
    setAttribute(picture, "aria-valuetext", sayBars(bars, [Math.max(0, bar)]) || "no tasks");
  };
  const show = (some: number[]): void => {
    picture.querySelectorAll("[data-bar]").forEach((part, n) => part.classList.toggle("kx-at", some.includes(n)));
    element.classList.toggle("kx-dragged", some.length > 0);
    at = -1;
    write(some.length > 0 ? some : chosen);
  };
  const brush = new Brush(picture, { ordered: () => true, bars: () => bars.length, places: () => bars.length, barOf, range, show, point, done: choose });
  picture.addEventListener("click", (event) => {
    const bar = barOf(event.target);
    if (!brush.dragged && bar >= 0) choose(chosenAfter(chosen, bar, false));
  });

  const press = (event: KeyboardEvent): boolean => {
    if (event.ctrlKey || event.metaKey || event.altKey || bars.length === 0) return false;
    const last = bars.length - 1;
    const start = at >= 0 ? at : (chosen[0] ?? 0);
    const to = { ArrowLeft: start - 1, ArrowRight: start + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      const bar = Math.min(Math.max(0, at < 0 && !event.shiftKey ? start : to), last);
      if (event.shiftKey && at < 0) from = start;
      if (event.shiftKey) choose(range(from, bar));
      else from = bar;
      point(bar);
      return true;
    }
    if (event.key === " " || (event.key === "Enter" && !event.shiftKey)) choose(chosenAfter(chosen, start, false));
    else if (event.key === "Backspace") choose([]);
    else if (event.key === "Escape" && at >= 0) point(-1);
    else return false;
    return true;
  };
  picture.addEventListener("keydown", (event) => {
    if (!press(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  picture.addEventListener("blur", () => point(-1));

  const paint = (kinds: Kind[]): void => {
    const most = Math.max(1, ...bars.map(([, counts]) => sum(counts)));
    setAttribute(picture, "viewBox", `0 0 ${Math.max(1, bars.length) * WIDE} ${TALL}`);
    const groups = bars.map(([words, counts], n) => {
      const group = draw("g", { "data-bar": n });
      const title = draw("title", {});
      title.textContent = [words, ...counts.map((one, kind) => one && `${kinds[kind]?.[0]}: ${count(one)}`).filter(Boolean)].join("\n");
      group.append(title, draw("rect", { x: n * WIDE, y: 0, width: WIDE, height: TALL, class: "kx-hit" }));
      let top = TALL;
      counts.forEach((one, kind) => {
        const height = (one / most) * (TALL - 4);
        top -= height;
        if (one > 0) group.append(coloured(draw("rect", { x: n * WIDE + 0.5, y: top, width: WIDE - 1, height, class: "kx-kind" }), kinds[kind]));
      });
      return group;
    });
    picture.replaceChildren(...groups);
    legend.replaceChildren(
      ...kinds.map((kind) => {
        const entry = make("span", "");
        entry.append(coloured(make("span", "kx-swatch", { "aria-hidden": "true" }), kind), kind[0]);
        return entry;
      }),
    );
  };

  const renew = (state: State): void => {
    bars = (state["bars"] as Bar[] | undefined) ?? [];
    chosen = (state["chosen"] as number[] | undefined) ?? [];
    const kinds = (state["kinds"] as Kind[] | undefined) ?? [];
    const ends = (state["ends"] as string[] | undefined) ?? [];
    const now = JSON.stringify([bars, kinds]);
    if (now !== drawn) paint(kinds);
    drawn = now;
    element.hidden = Boolean(state.hidden) || bars.length === 0;
    element.classList.toggle("kx-chosen", Boolean(state["words"]));
    picture.querySelectorAll("[data-bar]").forEach((part, n) => part.classList.toggle("kx-in", chosen.includes(n)));
    setAttribute(picture, "aria-label", String(state["label"] ?? ""));
    setAttribute(picture, "aria-valuemin", "0");
    setAttribute(picture, "aria-valuemax", String(Math.max(0, bars.length - 1)));
    setText(left, ends[0] ?? "");
    setText(right, ends[1] ? `${ends[1]} UTC` : "");
    point(Math.min(at, bars.length - 1));
  };
  return { element, renew, stop: element };
}

function coloured<E extends HTMLElement | SVGElement>(element: E, kind: Kind | undefined): E {
  element.style.setProperty("--kx-light", kind?.[1] ?? "");
  element.style.setProperty("--kx-dark", kind?.[2] ?? "");
  return element;
}

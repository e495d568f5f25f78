// The controls of a panel, as native elements. See controls.py for what each holds.

import { make, setAttribute, setText } from "./dom.ts";
import type { Message } from "./host.ts";
import { parsed } from "./html.ts";
import { icon } from "./icons.ts";
import { timeline } from "./timeline.ts";

export interface State {
  kind: string;
  hidden?: boolean;
  look?: string;
  focused?: number;
  revealed?: number;
  [name: string]: unknown;
}

export interface Part {
  element: HTMLElement;
  /** Shows what is new. */
  renew(state: State): void;
  /** What has the keyboard when the control has. */
  stop?: HTMLElement;
  end?(): void;
}

export type Say = (message: Message) => void;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function html(): Part {
  const element = make("div", "kx-html");
  let before = "";
  const renew = (state: State): void => {
    if (before === state["value"]) return;
    before = text(state["value"]);
    element.replaceChildren(...parsed(before));
  };
  return { element, renew };
}

/** Says it is disabled, and does nothing then; but it keeps the keyboard, which a disabled one loses. */
function button(say: Say): Part {
  const element = make("button", "kx-do", { type: "button" });
  const words = make("span", "");
  let drawn = "";
  element.append(words);
  element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && say({ kind: "click" }));
  const renew = (state: State): void => {
    setText(words, text(state["description"]));
    setAttribute(element, "title", text(state["tooltip"]) || text(state["description"]));
    setAttribute(element, "aria-disabled", state["disabled"] ? "true" : null);
    if (drawn === state["icon"]) return;
    drawn = text(state["icon"]);
    element.replaceChildren(...(drawn ? [icon(drawn)] : []), words);
  };
  return { element, renew, stop: element };
}

let views = 0;

/** Words of this page: what comes back of them late does not undo what was typed since. */
export class Words {
  private readonly mine = `${Date.now().toString(36)}-${++views}:`;
  private last = "";
  private number = 0;
  private seen = "";

  next(): string {
    return (this.last = `${this.mine}${++this.number}`);
  }

  /** Whether a value that comes is to be shown. */
  takes(value: unknown, said: string): boolean {
    const now = JSON.stringify([value, said]);
    const late = said.startsWith(this.mine) && said !== this.last;
    const old = now === this.seen;
    this.seen = now;
    return !late && !old;
  }
}

function field(say: Say, number: boolean): Part {
  const element = make("label", "kx-field");
  const name = make("span", "kx-label");
  const input = make("input", "kx-input", { type: number ? "number" : "text", autocomplete: "off", spellcheck: "false" }) as HTMLInputElement;
  const unit = make("span", "kx-label");
  const words = new Words();
  element.append(name, input, unit);
  input.addEventListener(number ? "change" : "input", () => {
    const value = number ? Number(input.value) : input.value;
    say({ kind: "set", value, said: words.next() });
  });
  if (!number)
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) say({ kind: "enter" });
    });
  let search: Element | undefined;
  const renew = (state: State): void => {
    setText(name, text(state["label"]));
    setText(unit, text(state["unit"]));
    unit.hidden = !state["unit"];
    setAttribute(input, "placeholder", text(state["placeholder"]) || null);
    setAttribute(input, "title", text(state["tooltip"]) || null);
    if (number) setAttribute(input, "min", "0");
    if (number) setAttribute(input, "step", String(state["step"] ?? 1));
    else input.style.width = `${Number(state["width"] ?? 220)}px`;
    if (state.look === "search" && !search) element.append((search = icon("search")));
    if (words.takes(state["value"], text(state["said"]))) input.value = String(state["value"] ?? "");
  };
  return { element, renew, stop: input };
}

function menu(say: Say): Part {
  const element = make("label", "kx-field");
  const name = make("span", "kx-label");
  const select = make("select", "kx-input") as HTMLSelectElement;
  let before = "";
  element.append(name, select);
  select.addEventListener("change", () => say({ kind: "set", value: select.value }));
  const renew = (state: State): void => {
    setText(name, text(state["label"]));
    const options = (state["options"] as [string, string][] | undefined) ?? [];
    if (before !== JSON.stringify(options)) select.replaceChildren(...options.map(([words, key]) => new Option(words, key)));
    before = JSON.stringify(options);
    select.value = text(state["value"]);
  };
  return { element, renew, stop: select };
}

/** Buttons, one of them pressed. One that stays in the row stays the same element, and so keeps the keyboard. */
function chips(say: Say): Part {
  const element = make("div", "kx-choice");
  const heading = make("span", "kx-heading");
  const group = make("div", "kx-group", { role: "group" });
  const made = new Map<string, HTMLElement>();
  let chosen: unknown;
  let facet = false;
  element.append(heading, group);
  const chip = (key: string): HTMLElement => {
    const button = made.get(key) ?? make("button", "", { type: "button" });
    if (!made.has(key)) button.addEventListener("click", () => say({ kind: "set", value: facet && key === chosen ? "" : key }));
    made.set(key, button);
    return button;
  };
  const renew = (state: State): void => {
    facet = state.look === "facet";
    chosen = state["value"];
    const label = text(state["label"]);
    heading.hidden = !facet;
    setText(heading, label);
    setAttribute(group, "aria-label", label);
    element.classList.add("kx-chips");
    const options = (state["options"] as [string, string][] | undefined) ?? [];
    const row = options.map(([words, key]) => {
      const button = chip(key);
      setText(button, words);
      setAttribute(button, "title", facet ? key || words : `${label}: ${words}`);
      setAttribute(button, "aria-pressed", String(key === chosen));
      button.classList.toggle("kx-none", / 0$/.test(words));
      return button;
    });
    fill(group, row);
    for (const key of [...made.keys()]) if (!options.some(([, other]) => other === key)) made.delete(key);
  };
  return { element, renew, stop: group };
}

/** Puts elements into another; those that stay are not taken out in between, as that takes the keyboard from them. */
export function fill(around: HTMLElement, elements: HTMLElement[]): void {
  for (const child of [...around.children]) if (!elements.includes(child as HTMLElement)) child.remove();
  elements.forEach((element, n) => {
    if (around.children[n] !== element) around.insertBefore(element, around.children[n] ?? null);
  });
}

function box(kind: string, inside: (id: string) => HTMLElement | undefined): Part {
  const element = make("div", kind === "row" ? "kx-across" : "kx-down");
  const renew = (state: State): void => {
    const ids = (state["children"] as string[] | undefined) ?? [];
    fill(element, ids.map(inside).filter((one) => one !== undefined));
    const share = Number(state["share"] ?? 0);
    element.style.flex = share ? `${share} 1 0` : "";
    if (state["escape"]) setAttribute(element, "role", state.look === "confirm" ? "alertdialog" : "dialog");
    setAttribute(element, "aria-label", text(state["label"]) || null);
  };
  return { element, renew };
}

/** A control for a state; nothing for one that is not known here. */
export function control(state: State, say: Say, inside: (id: string) => HTMLElement | undefined): Part | undefined {
  const made: Record<string, () => Part> = {
    html,
    button: () => button(say),
    text: () => field(say, false),
    number: () => field(say, true),
    choice: () => (state.look === "menu" ? menu(say) : chips(say)),
    timeline: () => timeline(say),
    column: () => box("column", inside),
    row: () => box("row", inside),
  };
  const part = made[state.kind]?.();
  if (part && state.look) part.element.classList.add(`kx-${state.look}`);
  return part;
}

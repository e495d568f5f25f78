// A panel: controls, tables and graphs in one widget. Its state holds each of them under its id; see parts.py.

import { control, fill, type Part, type State } from "./controls.ts";
import { make, setAttribute } from "./dom.ts";
import { firstIn, Keeper, usable } from "./focus.ts";
import { Graph } from "./graph.ts";
import { hostOf, type Host, type Message } from "./host.ts";
import { MARK, ownKeys } from "./keys.ts";
import { Table } from "./table.ts";
import { followTheme } from "./theme.ts";

const NARROW = 900; // px, up to which what stands side by side stands one below the other
const SLIM = 560; // and fields, too

class Panel {
  private readonly root = make("div", "kx-panel");
  private readonly ruler = make("div", "kx-ruler");
  private readonly parts = new Map<string, Part>();
  private readonly keeper = new Keeper(this.root);
  private readonly ends: (() => void)[] = [];

  constructor(private readonly host: Host, el: HTMLElement) {
    el.append(this.root);
    // What a table says of its own keys stands.
    const tables = (_: KeyboardEvent, target: Element): boolean => target.closest(".kx-table, .kx-graph") !== null && target.hasAttribute(MARK);
    this.ends.push(followTheme(this.root), ownKeys(this.root, tables), host.on("root", () => this.draw()), () => this.keeper.end());
    const sized = new ResizeObserver(() => this.measure());
    sized.observe(this.ruler); // whose size is the width alone: a panel grows with what is in it
    this.ends.push(() => sized.disconnect());
    this.root.addEventListener("keydown", (event) => this.leave(event), true);
    this.root.addEventListener("keydown", (event) => this.find(event));
    this.root.addEventListener("keydown", (event) => this.leaveSearch(event));
    this.draw();
  }

  end(): void {
    for (const end of this.ends) end();
    for (const part of this.parts.values()) part.end?.();
    this.root.remove();
  }

  private measure(): void {
    const { width } = this.root.getBoundingClientRect();
    if (width > 0)
      requestAnimationFrame(() => {
        this.root.classList.toggle("kx-narrow", width <= NARROW);
        this.root.classList.toggle("kx-slim", width <= SLIM);
      });
  }

  private draw(): void {
    const element = this.part(String(this.host.get("root") ?? ""));
    fill(this.root, element ? [this.ruler, element] : [this.ruler]);
  }

  // What is in it.

  private readonly part = (id: string): HTMLElement | undefined => {
    const known = this.parts.get(id);
    const state = this.host.get(id) as State | undefined;
    if (known || !state) return known?.element;
    const say = (message: Message): void => this.host.send({ ...message, control: id });
    const part = control(state, say, this.part) ?? this.embedded(id, state.kind);
    if (!part) return undefined;
    this.parts.set(id, part);
    let { focused = 0, revealed = 0 } = state;
    const renew = (): void => {
      const now = this.host.get(id) as State;
      part.element.hidden = Boolean(now.hidden);
      part.renew(now);
      if ((now.focused ?? 0) > focused) this.keeper.give(part.stop ?? part.element);
      if ((now.revealed ?? 0) > revealed) requestAnimationFrame(() => this.reveal(part.element)); // when all is drawn
      ({ focused = 0, revealed = 0 } = now);
      this.keeper.soon();
    };
    renew();
    this.ends.push(this.host.on(id, renew));
    return part.element;
  };

  private embedded(id: string, kind: string): Part | undefined {
    if (kind !== "table" && kind !== "graph") return undefined;
    const element = make("div", "kx-embedded");
    const inner = kind === "table" ? new Table(this.hostOf(id), element) : new Graph(this.hostOf(id), element);
    return { element, renew: () => undefined, end: () => inner.end() };
  }

  /** What a table or a graph in the panel asks of, as if it were alone. */
  private hostOf(id: string): Host {
    const { host } = this;
    return {
      get: (name) => host.get(`${id}.${name}`),
      on: (name, heard) =>
        name === "message"
          ? host.on("message", (message, bytes) => message["control"] === id && heard((message["content"] ?? {}) as Message, bytes))
          : host.on(`${id}.${name}`, (message, bytes) => (heard(message, bytes), this.keeper.soon())),
      send: (content) => host.send({ kind: "message", control: id, content }),
    };
  }

  /** Where nothing stands side by side, what was opened is under what was clicked: go there. */
  private reveal(element: HTMLElement): void {
    if (!this.root.classList.contains("kx-narrow") || !this.keeper.busy || !usable(element)) return;
    setAttribute(element, "tabindex", "-1");
    element.focus({ preventScroll: true });
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
  }

  // Keys.

  /** Escape does what the question on screen says it does. */
  private leave(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    for (const [id, part] of this.parts) {
      const { escape } = this.host.get(id) as State;
      if (typeof escape !== "string" || !usable(part.element)) continue;
      event.preventDefault();
      event.stopPropagation();
      this.host.send({ kind: "click", control: escape });
    }
  }

  private find(event: KeyboardEvent): void {
    const target = event.composedPath()[0];
    const typing = target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const searches = [...this.root.querySelectorAll<HTMLElement>(".kx-search.kx-field")].filter(usable);
    if (!searches[0]) return;
    event.preventDefault();
    firstIn(searches[0])?.focus();
  }

  /** In the search, Down goes to the first row of the table, Escape takes the words away. */
  private leaveSearch(event: KeyboardEvent): void {
    const input = event.composedPath()[0];
    if (!(input instanceof HTMLInputElement) || !input.closest(".kx-search") || event.isComposing) return;
    const body = [...this.root.querySelectorAll<HTMLElement>(".kx-body")].find(usable);
    const cell = body && (firstIn(body) ?? body.querySelector<HTMLElement>("[role=gridcell]"));
    if (event.key === "ArrowDown" && cell) cell.focus();
    else if (event.key === "Escape" && input.value) {
      input.value = "";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export default {
  render({ model, el }: { model: Parameters<typeof hostOf>[0]; el: HTMLElement }): () => void {
    const panel = new Panel(hostOf(model), el);
    return () => panel.end();
  },
};

// The graph: what Python says is drawn, moved and picked from. See network.py for what each message means.

import { fitted, toScene, zoomed, type Camera, type Size } from "./camera.ts";
import { followRatio, make, setAttribute, setText } from "./dom.ts";
import { hostOf, type Host, type Message } from "./host.ts";
import { icon } from "./icons.ts";
import { ownKeys } from "./keys.ts";
import { Many } from "./many.ts";
import { EMPTY, nodeAt, nodeToward, type Colors, type Info, type Scene } from "./scene.ts";
import { fewInColumns, paint, shapesOf, svgOf, type Drawing, type Theme } from "./shapes.ts";
import { followTheme } from "./theme.ts";
import { Widths } from "./widths.ts";

const STILL = 90; // milliseconds without a move, after which a large graph is drawn sharply again
const MANY = 300; // nodes above which the last picture is moved instead of drawn anew
const KEPT = -1; // no node: what a filter keeps
const NARROW = 560; // pixels below which layers are squeezed

let graphs = 0; // in this page, so that each has ids of its own

export class Graph {
  private readonly root = make("div", "kx-graph");
  private readonly name = make("div", "kx-title");
  private readonly counts = make("div", "kx-counts");
  private readonly box = make("input", "kx-find", {
    type: "text", placeholder: "Find by name", "aria-label": "Find by name", role: "combobox", "aria-expanded": "false",
    "aria-autocomplete": "list", autocomplete: "off",
  }) as HTMLInputElement;
  private readonly hits = make("div", "kx-hits", { role: "listbox", "aria-label": "Found" });
  private readonly stage = make("div", "kx-stage");
  private readonly canvas = make("canvas", "kx-canvas", { tabindex: "0", role: "application" }) as HTMLCanvasElement;
  private readonly hover = make("div", "kx-hover", { hidden: "" });
  private readonly legend = make("div", "kx-legend");
  private readonly said = make("div", "kx-said", { role: "status" });
  private readonly side = make("div", "kx-side");
  private readonly buttons: Record<string, HTMLButtonElement> = {};
  private readonly ends: (() => void)[] = [];
  private scene: Scene = EMPTY;
  private camera: Camera = { x: 0, y: 0, scale: 1 };
  private ratio = 1; // pixels of the screen in a px
  private size: Size = { width: 0, height: 0 };
  private theme: Theme = { bg: "#fff", ink: "#000", quiet: "#666", accent: "#00f", danger: "#c00", control: "#888", dark: false };
  private frame = 0;
  private still = 0;
  private kept: { picture: HTMLCanvasElement; camera: Camera } | undefined;
  private readonly many = new Many();
  private readonly widths = new Widths();
  private asideOf: { node: number; scene: Scene; near: Set<number> } | undefined;
  private moving = false;
  private asked = 0;
  private readonly own = `kx-hits-${++graphs}`;
  private found: string[][] = [];
  private at = -1;
  private dragged: { node: number | undefined; x: number; y: number; moved: boolean } | undefined;
  private cursor: number | undefined; // the node that the keyboard is at

  constructor(private readonly host: Host, el: HTMLElement) {
    this.layOut();
    el.append(this.root);
    this.ends.push(followTheme(this.root));
    const themed = new MutationObserver(() => this.renewTheme());
    themed.observe(this.root, { attributes: true, attributeFilter: ["data-kx-theme"] });
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(this.stage);
    this.ends.push(() => themed.disconnect(), () => sized.disconnect(), followRatio(() => this.resize()));
    for (const name of ["scene", "colors"]) this.ends.push(host.on(name, () => this.renewScene()));
    this.ends.push(host.on("info", () => this.renewInfo()), host.on("heading", () => this.renewHead()), host.on("selected", () => this.draw()));
    for (const name of ["undoable", "force", "panel", "height"]) this.ends.push(host.on(name, () => this.renewHead()));
    this.ends.push(host.on("message", (message) => this.takeHits(message)));
    this.listen();
    this.renewHead();
    this.renewInfo();
    this.renewTheme();
    this.renewScene();
  }

  end(): void {
    for (const end of this.ends) end();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.still);
    this.root.remove();
  }

  private layOut(): void {
    const head = make("div", "kx-bar");
    const words = make("div", "kx-words");
    words.append(this.name, this.counts);
    const search = make("div", "kx-search");
    search.append(icon("search"), this.box, this.hits);
    const layouts = make("div", "kx-layouts", { role: "group", "aria-label": "Arrangement" });
    layouts.append(this.button("layers", "Layers"), this.button("force", "Force"));
    const tools = make("div", "kx-tools", { role: "group", "aria-label": "View" });
    tools.append(this.button("undo", "", "Undo"), this.button("minus", "", "Smaller"), this.button("plus", "", "Larger"), this.button("fit", "", "Show all"));
    const saves = make("div", "kx-tools", { role: "group", "aria-label": "Save" });
    saves.append(this.button("png", "PNG", "Save as PNG"), this.button("svg", "SVG", "Save as SVG"));
    head.append(words, search, layouts, tools, saves);
    this.hits.hidden = true;
    this.hits.id = this.own;
    this.box.setAttribute("aria-controls", this.own);
    this.stage.append(this.canvas, this.hover);
    const main = make("div", "kx-main");
    main.append(this.stage, this.legend);
    const both = make("div", "kx-both");
    both.append(main, this.side);
    this.root.append(head, both, this.said);
  }

  private button(name: string, text: string, label = text): HTMLButtonElement {
    const button = make("button", "kx-tool", { type: "button", title: label }) as HTMLButtonElement;
    if (!text) setAttribute(button, "aria-label", label);
    button.append(icon(name));
    if (text) button.append(text);
    button.addEventListener("click", () => this.press(name));
    this.buttons[name] = button;
    return button;
  }

  // What comes from Python.

  private renewHead(): void {
    const [name, counts, few] = (this.host.get("heading") as [string, string, boolean] | undefined) ?? ["", "", true];
    setText(this.name, name ?? "");
    this.name.title = name ?? "";
    setText(this.counts, counts ?? "");
    const force = Boolean(this.host.get("force"));
    this.buttons["layers"]?.setAttribute("aria-pressed", String(!force));
    this.buttons["force"]?.setAttribute("aria-pressed", String(force));
    const button = this.buttons["force"];
    if (button) {
      button.disabled = few === false;
      button.title = few === false ? "Too many nodes for the force layout: at most 2,000" : "Force";
    }
    if (this.buttons["undo"]) this.buttons["undo"].disabled = !this.host.get("undoable");
    this.side.hidden = this.host.get("panel") === false;
    this.root.style.setProperty("--kx-height", `${Number(this.host.get("height") ?? 520)}px`);
    setAttribute(this.canvas, "aria-label", `Graph: ${name}, ${counts}. Arrow keys move from node to node, Enter selects, space opens.`);
  }

  private squeeze = 1;

  /** In a narrow view the columns of layers stand closer, so that nodes and names keep their size. */
  private squeezed(scene: Scene): Scene {
    const { width } = this.size;
    const places = scene.columns.map(([x]) => x);
    const spread = Math.max(1, Math.max(...places) - Math.min(...places));
    this.squeeze = places.length && width && width < NARROW ? Math.min(1, Math.max(0.3, (width - 96) / (spread * 0.8))) : 1;
    const near = (x: number): number => x * this.squeeze;
    return this.squeeze === 1 ? scene : { ...scene, x: scene.x.map(near), columns: scene.columns.map(([x, words]) => [near(x), words]) };
  }

  private renewScene(): void {
    const before = this.scene;
    this.scene = this.squeezed({ ...EMPTY, ...(this.host.get("scene") as Partial<Scene>) });
    this.kept = undefined;
    this.cursor = undefined;
    this.legend.replaceChildren();
    for (const [kind, words] of this.scene.legend) this.legend.append(this.entry(kind, words, false));
    if (this.scene.missing.some(Boolean)) this.legend.append(this.entry("missing", "not delivered", true));
    if (this.scene.findings.some(Boolean)) {
      const entry = make("span", "kx-entry kx-alarm");
      entry.append(make("span", "kx-red"), "has findings");
      this.legend.append(entry);
    }
    if (this.scene.counts.some((count) => count > 1)) {
      const entry = make("span", "kx-entry");
      entry.append(make("span", "kx-ring"), "group, double-click opens it");
      this.legend.append(entry);
    }
    const same = before.ids.length === this.scene.ids.length && before.ids.every((id, n) => id === this.scene.ids[n]) && before.columns.length === this.scene.columns.length;
    if (!same || !before.ids.length) this.fit();
    else this.draw();
  }

  private entry(kind: string, words: string, missing: boolean): HTMLElement {
    const entry = make("span", missing ? "kx-entry kx-alarm" : "kx-entry");
    entry.append(this.dot(kind, missing), words);
    return entry;
  }

  private dot(kind: string, missing: boolean): HTMLElement {
    const dot = make("span", missing ? "kx-dot kx-dashed" : "kx-dot");
    const [fill, light, dark] = this.colors[missing ? "missing" : kind] ?? ["#888888", "#888888", "#888888"];
    if (!missing) dot.style.background = fill;
    dot.style.setProperty("--kx-light", light);
    dot.style.setProperty("--kx-dark", dark);
    return dot;
  }

  private get colors(): Colors {
    return (this.host.get("colors") as Colors | undefined) ?? {};
  }

  private renewInfo(): void {
    const info = this.host.get("info") as Partial<Info> | undefined;
    this.side.replaceChildren();
    if (!info?.title) return;
    const title = make("div", "kx-name", { role: "heading", "aria-level": "3" });
    setText(title, info.title);
    this.side.append(title);
    for (const [text, name] of [[info.note, "kx-note"], [info.id, "kx-id"], [info.alarm, "kx-alarm"]] as const) {
      if (!text) continue;
      const line = make("div", name);
      setText(line, text);
      this.side.append(line);
    }
    if (info.head) {
      const head = make("div", "kx-caption");
      setText(head, info.head);
      this.side.append(head);
    }
    const list = make("div", "kx-list", { role: "list" });
    for (const [node, text, kind, missing] of info.rows ?? []) {
      const item = make("div", "", { role: "listitem" });
      const row = make(node ? "button" : "div", missing ? "kx-item kx-alarm" : "kx-item", node ? { type: "button" } : {});
      const words = make("span", "kx-cut");
      setText(words, text);
      row.title = text;
      row.append(this.dot(kind, Boolean(missing)), words);
      if (node) row.addEventListener("click", () => this.pick(node));
      item.append(row);
      list.append(item);
    }
    if (list.childElementCount) this.side.append(list);
    if (info.more) {
      const more = make("div", "kx-note");
      setText(more, `and ${info.more.toLocaleString("en-US")} more`);
      this.side.append(more);
    }
    const node = this.selected === undefined ? undefined : this.scene.ids[this.selected];
    if (info.group && node !== undefined) this.side.append(this.action("plus", "Open the group", () => this.expand(node)));
    if (info.id) {
      const id = info.id;
      this.side.append(this.action("copy", "Copy the id", () => this.copy(id)));
    }
  }

  private action(name: string, text: string, done: () => void): HTMLElement {
    const button = make("button", "kx-action", { type: "button" });
    button.append(icon(name), text);
    button.addEventListener("click", done);
    return button;
  }

  private renewTheme(): void {
    const style = getComputedStyle(this.root);
    const color = (name: string): string => style.getPropertyValue(`--kx-${name}`).trim() || "#888888";
    this.theme = {
      bg: color("bg"), ink: color("ink"), quiet: color("quiet"), accent: color("accent"), danger: color("danger"), control: color("control"),
      dark: this.root.dataset["kxTheme"] === "dark",
    };
    this.kept = undefined;
    this.draw();
  }

  // Drawing.

  private resize(): void {
    const size = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const first = !this.size.width;
    const { squeeze } = this;
    const ratio = devicePixelRatio || 1;
    if (size.width === this.size.width && size.height === this.size.height && ratio === this.ratio) return;
    this.size = size;
    this.ratio = ratio;
    this.canvas.width = Math.round(size.width * ratio);
    this.canvas.height = Math.round(size.height * ratio);
    if (size.width < NARROW || this.squeeze !== 1) this.renewScene();
    this.renewTheme(); // where the styles came after the graph, as in marimo, its colours were not there before
    if (first || this.squeeze !== squeeze) this.fit();
  }

  private fit(): void {
    if (!this.size.width) return;
    // Names stand below the nodes of small columns, and to the right of all others.
    const below = fewInColumns(this.scene);
    const narrow = this.size.width < NARROW;
    const [left, right] = below ? (narrow ? [48, 48] : [118, 118]) : narrow ? [50, 120] : [50, 190];
    this.camera = fitted(this.scene.x, this.scene.y, this.size, below ? [left, right, 52, 52] : [left, right, 44, 36]);
    this.kept = undefined;
    this.draw();
  }

  /** Draws in the next frame: sharply, or, while a large graph moves, the last picture where it now belongs. */
  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      if (!this.size.width) return;
      const context = this.canvas.getContext("2d");
      if (!context) return;
      const ratio = this.canvas.width / this.size.width;
      if (this.moving && this.kept && this.scene.ids.length > MANY) {
        const { picture, camera } = this.kept;
        const scale = this.camera.scale / camera.scale;
        const dx = (camera.x - this.camera.x) * this.camera.scale + (this.size.width / 2) * (1 - scale);
        const dy = (camera.y - this.camera.y) * this.camera.scale + (this.size.height / 2) * (1 - scale);
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.fillStyle = this.theme.bg;
        context.fillRect(0, 0, this.canvas.width, this.canvas.height);
        context.drawImage(picture, dx * ratio, dy * ratio, picture.width * scale, picture.height * scale);
        return;
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.paint(context, ratio);
      if (this.scene.ids.length > MANY) {
        const picture = this.kept?.picture ?? document.createElement("canvas");
        if (picture.width !== this.canvas.width || picture.height !== this.canvas.height) [picture.width, picture.height] = [this.canvas.width, this.canvas.height];
        picture.getContext("2d")?.drawImage(this.canvas, 0, 0);
        this.kept = { picture, camera: this.camera };
      }
    });
  }

  private paint(context: CanvasRenderingContext2D, ratio: number): void {
    const drawing = this.drawing();
    if (this.scene.ids.length > MANY && this.many.paint(context, drawing, ratio)) return;
    paint(context, shapesOf(drawing), this.size, this.theme);
  }

  private drawing(): Drawing {
    const { scene, camera, size, theme, colors, selected, widths } = this;
    const near = selected === undefined || selected === scene.focus ? this.left() : this.around(selected);
    return { scene, camera, size, theme, colors, selected: this.cursor ?? selected, near, wide: (text, points, bold) => widths.of(text, points, bold) };
  }

  /** What a filter keeps, where it leaves something out; the same set as long as the scene is the same. */
  private left(): Set<number> | undefined {
    const { scene } = this;
    if (!scene.faded.includes(1)) return undefined;
    if (this.asideOf?.node !== KEPT || this.asideOf.scene !== scene)
      this.asideOf = { node: KEPT, scene, near: new Set(scene.faded.flatMap((faded, n) => (faded ? [] : [n]))) };
    return this.asideOf.near;
  }

  /** What is linked with a node; the same set as long as the same is asked. */
  private around(node: number): Set<number> {
    if (this.asideOf?.node === node && this.asideOf.scene === this.scene) return this.asideOf.near;
    const near = new Set<number>();
    this.scene.from.forEach((a, n) => {
      const b = this.scene.to[n] ?? 0;
      if (a === node) near.add(b);
      if (b === node) near.add(a);
    });
    this.asideOf = { node, scene: this.scene, near };
    return near;
  }

  private get selected(): number | undefined {
    const id = this.host.get("selected");
    const at = typeof id === "string" ? this.scene.ids.indexOf(id) : -1;
    return at < 0 ? undefined : at;
  }

  private move(camera: Camera): void {
    this.camera = camera;
    this.moving = true;
    this.hover.hidden = true;
    clearTimeout(this.still);
    this.still = window.setTimeout(() => {
      this.moving = false;
      this.draw();
    }, STILL);
    this.draw();
  }

  // What a person does.

  private listen(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.dragged = { node: this.under(event), x: event.offsetX, y: event.offsetY, moved: false };
    });
    canvas.addEventListener("pointermove", (event) => this.pointed(event));
    canvas.addEventListener("pointerup", (event) => this.released(event));
    canvas.addEventListener("pointercancel", () => (this.dragged = undefined));
    canvas.addEventListener("pointerleave", () => (this.hover.hidden = true));
    canvas.addEventListener("dblclick", (event) => {
      const node = this.scene.ids[this.under(event) ?? -1];
      if (node !== undefined) this.expand(node);
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        // The page scrolls past a graph that nobody works in.
        if (!event.ctrlKey && !event.metaKey && this.activeElement() !== canvas) return;
        event.preventDefault();
        this.move(zoomed(this.camera, this.size, Math.exp(-event.deltaY / 400), [event.offsetX, event.offsetY]));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.cursor = undefined;
      this.draw();
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "/" && event.target !== this.box) {
        event.preventDefault();
        this.box.focus();
      }
      event.stopPropagation(); // the notebook's own keys are not meant
    });
    this.box.addEventListener("input", () => this.ask());
    this.box.addEventListener("keydown", (event) => this.inBox(event));
    this.box.addEventListener("blur", () => window.setTimeout(() => this.showHits([]), 150));
    this.ends.push(ownKeys(this.root));
  }

  private activeElement(): Element | null {
    const place = this.root.getRootNode();
    return place instanceof ShadowRoot ? place.activeElement : document.activeElement;
  }

  private under(event: { offsetX: number; offsetY: number }): number | undefined {
    const [x, y] = toScene(this.camera, this.size, event.offsetX, event.offsetY);
    return nodeAt(this.scene, x, y, this.camera.scale);
  }

  private pointed(event: PointerEvent): void {
    const drag = this.dragged;
    if (!drag) {
      this.point(this.under(event), event);
      return;
    }
    const [dx, dy] = [event.offsetX - drag.x, event.offsetY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    Object.assign(drag, { moved: true, x: event.offsetX, y: event.offsetY });
    if (drag.node === undefined) {
      this.move({ ...this.camera, x: this.camera.x - dx / this.camera.scale, y: this.camera.y - dy / this.camera.scale });
    } else {
      this.scene.x[drag.node] = (this.scene.x[drag.node] ?? 0) + dx / this.camera.scale;
      this.scene.y[drag.node] = (this.scene.y[drag.node] ?? 0) + dy / this.camera.scale;
      this.kept = undefined;
      this.draw();
    }
  }

  private released(event: PointerEvent): void {
    const drag = this.dragged;
    this.dragged = undefined;
    if (!drag) return;
    const node = drag.node === undefined ? undefined : this.scene.ids[drag.node];
    if (drag.moved && drag.node !== undefined && node !== undefined) {
      this.host.send({ do: "pin", node, x: (this.scene.x[drag.node] ?? 0) / this.squeeze, y: this.scene.y[drag.node] });
    } else if (!drag.moved && node !== undefined && event.detail < 2) this.pick(node);
  }

  private point(node: number | undefined, event: PointerEvent): void {
    this.canvas.style.cursor = node === undefined ? "grab" : "pointer";
    this.hover.hidden = node === undefined;
    if (node === undefined) return;
    const notes = [this.scene.notes[node], this.scene.missing[node] ? "named by others, but not delivered" : "", (this.scene.counts[node] ?? 1) > 1 ? "double-click opens the group" : ""];
    setText(this.hover, [this.scene.labels[node] ?? "", ...notes].filter(Boolean).join("\n"));
    const right = event.offsetX > this.size.width - 220;
    this.hover.style.left = right ? "" : `${event.offsetX + 14}px`;
    this.hover.style.right = right ? `${this.size.width - event.offsetX + 10}px` : "";
    this.hover.style.top = `${Math.min(event.offsetY + 12, this.size.height - 60)}px`;
  }

  private pick(node: string): void {
    this.host.send({ do: "select", node });
  }

  private expand(node: string): void {
    this.host.send({ do: "expand", node });
  }

  private press(name: string): void {
    if (name === "layers" || name === "force") this.host.send({ do: "arrange", force: name === "force" });
    else if (name === "undo") this.host.send({ do: "undo" });
    else if (name === "plus") this.move(zoomed(this.camera, this.size, 1.3));
    else if (name === "minus") this.move(zoomed(this.camera, this.size, 1 / 1.3));
    else if (name === "fit") this.fit();
    else if (name === "png") this.savePng();
    else this.save(new Blob([svgOf(shapesOf(this.drawing()), this.size, this.theme, this.name.textContent ?? "")], { type: "image/svg+xml" }), "svg");
  }

  private key(event: KeyboardEvent): void {
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const toward = arrows[event.key];
    const here = this.cursor ?? this.selected ?? this.scene.focus ?? 0;
    const node = this.scene.ids[here];
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (toward && plain) this.goTo(nodeToward(this.scene, here, ...toward) ?? here);
    else if (event.key === "Enter" && plain && !event.shiftKey && node !== undefined) this.pick(node);
    else if (event.key === " " && node !== undefined) this.expand(node);
    else if (event.key === "+" || event.key === "=") this.press("plus");
    else if (event.key === "-") this.press("minus");
    else if (event.key === "0") this.press("fit");
    else if (event.key === "p" && plain && node !== undefined) this.host.send({ do: "pin", node, x: (this.scene.x[here] ?? 0) / this.squeeze, y: this.scene.y[here] });
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.press("undo");
    else return;
    event.preventDefault();
  }

  private goTo(node: number): void {
    this.cursor = node;
    const { x, y, scale } = this.camera;
    const [nx, ny] = [this.scene.x[node] ?? 0, this.scene.y[node] ?? 0];
    const [half, high] = [this.size.width / 2 / scale - 60 / scale, this.size.height / 2 / scale - 60 / scale];
    if (Math.abs(nx - x) > half || Math.abs(ny - y) > high) this.move({ x: nx, y: ny, scale });
    setText(this.said, `${this.scene.labels[node] ?? ""}, ${this.scene.notes[node] ?? ""}`);
    this.draw();
  }

  // Search.

  private ask(): void {
    this.asked += 1;
    if (this.box.value.trim()) this.host.send({ do: "find", text: this.box.value, number: this.asked });
    else this.showHits([]);
  }

  private takeHits(message: Message): void {
    if (message["find"] === this.asked && this.box.value.trim()) this.showHits(message["hits"] as string[][], true);
  }

  private showHits(hits: string[][], asked = false): void {
    this.found = hits;
    this.at = hits.length ? 0 : -1;
    this.hits.replaceChildren();
    hits.forEach(([node = "", name = "", kind = ""], n) => {
      const hit = make("div", "kx-hit-row", { role: "option", "aria-selected": String(n === 0), id: `${this.own}-${n}` });
      const words = make("span", "kx-cut");
      const what = make("span", "kx-kind");
      setText(words, name);
      setText(what, kind);
      hit.append(words, what);
      hit.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.choose(node);
      });
      this.hits.append(hit);
    });
    if (asked && !hits.length) {
      const none = make("div", "kx-none", { role: "option", "aria-disabled": "true", "aria-selected": "false" });
      setText(none, `Nothing in this graph is called “${this.box.value.trim()}”.`);
      this.hits.append(none);
    }
    this.hits.hidden = !this.hits.childElementCount;
    setAttribute(this.box, "aria-expanded", String(!this.hits.hidden));
    this.markHit();
  }

  private markHit(): void {
    this.found.forEach((_, n) => this.hits.children[n]?.setAttribute("aria-selected", String(n === this.at)));
    setAttribute(this.box, "aria-activedescendant", this.at < 0 ? null : `${this.own}-${this.at}`);
  }

  private inBox(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.at = Math.max(0, Math.min(this.found.length - 1, this.at + (event.key === "ArrowDown" ? 1 : -1)));
      this.markHit();
    } else if (event.key === "Enter") {
      const node = this.found[this.at]?.[0];
      if (node !== undefined) this.choose(node);
    } else if (event.key === "Escape") {
      this.box.value = "";
      this.showHits([]);
      this.canvas.focus();
    } else return;
    event.preventDefault();
  }

  private choose(node: string): void {
    this.showHits([]);
    this.pick(node);
    this.canvas.focus();
  }

  // Saving.

  private savePng(): void {
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [this.size.width * 2, this.size.height * 2];
    const context = picture.getContext("2d");
    if (!context) return;
    context.scale(2, 2);
    this.paint(context, 2);
    picture.toBlob((blob) => blob && this.save(blob, "png"));
  }

  private save(blob: Blob, ending: string): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `graph.${ending}`;
    link.click();
    URL.revokeObjectURL(link.href);
    setText(this.said, `Saved as graph.${ending}`);
  }

  private copy(id: string): void {
    navigator.clipboard?.writeText(id).then(
      () => setText(this.said, "The id is copied."),
      () => setText(this.said, "The browser does not let a page copy here."),
    );
  }
}

export default {
  render({ model, el }: { model: Parameters<typeof hostOf>[0]; el: HTMLElement }): () => void {
    const graph = new Graph(hostOf(model), el);
    return () => graph.end();
  },
};

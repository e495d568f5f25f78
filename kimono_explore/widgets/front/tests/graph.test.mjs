// What of the graph needs no page: where one looks, what is under the pointer, labels, shapes, SVG.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

const load = async (name) => {
  const built = await build({ entryPoints: [new URL(`../${name}.ts`, import.meta.url).pathname], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString("base64")}`);
};
const { toScene, toScreen, zoomed, fitted } = await load("camera");
const { Room, cut, overlap } = await load("labels");
const { Picture, Pixels, partsOf, weightOf } = await load("pixels");
const { planOf } = await load("plan");
const { EMPTY, nodeAt, nodeToward, radius, shrunk } = await load("scene");
const { shapesOf, svgOf, onColor } = await load("shapes");

const size = { width: 800, height: 500 };
const theme = { bg: "#ffffff", ink: "#1b1f24", quiet: "#59636e", accent: "#2456c6", danger: "#b3261e", control: "#868f9a", dark: false };
const colors = { section: ["#009E73", "#00704F", "#3CC79E"], student: ["#56B4E9", "#1F77AC", "#9AD4F5"] };
const wide = (text, points) => text.length * points * 0.55;
const scene = {
  ...EMPTY, ids: ["s", "g", "m"], labels: ["Biology", "19 students", "Student not delivered"], notes: ["section", "", "ab12"],
  kinds: ["section", "student", "student"], missing: [0, 0, 1], counts: [1, 19, 1], findings: [2, 0, 0], x: [0, 215, 215], y: [0, -52, 52],
  from: [1, 2], to: [0, 0], relation: [0, 0], relations: ["student in"], many: [19, 1], columns: [[0, "sections"], [215, "students"]], legend: [], focus: 0,
};
const drawing = (more = {}) => ({ scene, camera: { x: 100, y: 0, scale: 1 }, size, theme, colors, selected: undefined, near: undefined, wide, ...more });

test("a place on screen and its place in the scene are each other's", () => {
  for (const camera of [{ x: 0, y: 0, scale: 1 }, { x: -40, y: 12, scale: 0.3 }, { x: 1e4, y: 5, scale: 3 }])
    for (const [x, y] of [[0, 0], [123, -45]]) {
      const [back, down] = toScene(camera, size, ...toScreen(camera, size, x, y));
      assert.ok(Math.abs(back - x) < 1e-6 && Math.abs(down - y) < 1e-6);
    }
});

test("what is under the pointer stays there while one zooms, and there are ends", () => {
  const camera = { x: 10, y: 20, scale: 1 };
  const closer = zoomed(camera, size, 2, [600, 100]);
  assert.deepEqual(toScene(closer, size, 600, 100).map(Math.round), toScene(camera, size, 600, 100).map(Math.round));
  assert.equal(zoomed(camera, size, 1e9).scale, 4);
  assert.equal(zoomed(camera, size, 1e-9).scale, 0.02);
});

test("all is in view, within the margins", () => {
  const [xs, ys] = [[-900, 0, 4_000], [10, -3_000, 200]];
  const camera = fitted(xs, ys, size, [50, 190, 44, 36]);
  xs.forEach((x, n) => {
    const [sx, sy] = toScreen(camera, size, x, ys[n]);
    assert.ok(sx >= 49.9 && sx <= 610.1 && sy >= 43.9 && sy <= 464.1, `${sx}, ${sy}`);
  });
  assert.deepEqual(fitted([], [], size, [0, 0, 0, 0]), { x: 0, y: 0, scale: 1 });
});

test("the node under the pointer is the nearest, and beside all there is none", () => {
  assert.equal(nodeAt(scene, 2, 3, 1), 0);
  assert.equal(nodeAt(scene, 215, -52 + radius(scene, 1), 1), 1);
  assert.equal(nodeAt(scene, 120, 200, 1), undefined);
  assert.equal(nodeAt(EMPTY, 0, 0, 1), undefined);
});

test("arrow keys go to the nearest node in their direction", () => {
  assert.ok([1, 2].includes(nodeToward(scene, 0, 1, 0)));
  assert.equal(nodeToward(scene, 1, 0, 1), 2);
  assert.equal(nodeToward(scene, 2, 0, -1), 1);
  assert.equal(nodeToward(scene, 1, -1, 0), 0);
  assert.equal(nodeToward(scene, 0, -1, 0), undefined);
});

test("a group is larger than one, and no node vanishes", () => {
  assert.ok(radius(scene, 1) > radius(scene, 2));
  assert.ok(shrunk(9, 0.02) >= 1.6 && shrunk(9, 1) === 9 && shrunk(9, 0.5) < 9);
});

test("what one looks at has its name, however crowded it is", () => {
  const many = 400;
  const around = Array.from({ length: many }, (_, n) => [((n % 20) - 10) * 12, (Math.floor(n / 20) - 10) * 12]);
  const fill = (first, other) => [first, ...Array.from({ length: many }, () => other)];
  const crowd = {
    ...EMPTY, ids: fill("s", "").map((_, n) => `${n}`), labels: fill("Biology", "x"), notes: fill("", ""), kinds: fill("section", "student"),
    missing: fill(0, 0), counts: fill(1, 1), findings: fill(0, 0), x: [0, ...around.map(([x]) => x)], y: [0, ...around.map(([, y]) => y)], focus: 0,
  };
  const camera = { x: 0, y: 0, scale: 1 };
  const names = shapesOf(drawing({ scene: crowd, camera })).filter((shape) => shape.kind === "text" && shape.text === "Biology");
  assert.deepEqual(names.map(({ halo }) => halo), [true]);
  assert.equal(shapesOf(drawing({ scene: { ...crowd, focus: null }, camera })).filter((shape) => shape.text === "Biology").length, 0);
});

test("labels do not overlap, however many there are", () => {
  const room = new Room();
  const taken = [];
  for (let n = 0; n < 2_000; n++) {
    const box = { left: (n * 37) % 900, top: (n * 91) % 500, right: ((n * 37) % 900) + 80, bottom: ((n * 91) % 500) + 16 };
    if (room.take(box)) taken.push(box);
  }
  assert.ok(taken.length > 50);
  taken.forEach((box, n) => taken.slice(n + 1).forEach((other) => assert.ok(!overlap(box, other))));
});

test("a text is cut where it must be, never within a letter", () => {
  assert.equal(cut("Biology", 100, (t) => t.length * 6), "Biology");
  assert.equal(cut("Biology of the sea", 60, (t) => t.length * 6), "Biology o…");
  assert.equal(cut("😀😀😀😀", 30, (t) => [...t].length * 10), "😀😀…");
});

test("what is missing is dashed and red, a group has a second ring and its number, findings a dot", () => {
  const shapes = shapesOf(drawing());
  const circles = shapes.filter((shape) => shape.kind === "circle");
  assert.equal(circles.filter((shape) => shape.dash && shape.stroke === theme.danger).length, 1);
  assert.equal(circles.filter((shape) => shape.fill === theme.danger && shape.r === 4.5).length, 1);
  assert.equal(circles.length, 3 + 1 + 1);
  const texts = shapes.filter((shape) => shape.kind === "text").map((shape) => shape.text);
  for (const text of ["19", "?", "19 students ▸", "Biology", "sections", "student in"]) assert.ok(texts.includes(text), text);
  const lines = shapes.filter((shape) => shape.kind === "line");
  assert.ok(lines[0].width > lines[1].width);
});

test("what is not linked with the selected node is faded", () => {
  const faded = shapesOf(drawing({ selected: 2, near: new Set([0]) })).filter((shape) => shape.kind === "circle" && shape.alpha < 1);
  assert.equal(faded.length, 2); // the group, and its ring
});

test("numbers can be read on every color", () => {
  assert.equal(onColor("#56B4E9"), "#101214");
  assert.equal(onColor("#4B0082"), "#FFFFFF");
});

test("SVG is well formed and holds names as text", () => {
  const hostile = { ...scene, labels: ['<script>alert(1)</script>"&\'', ...scene.labels.slice(1)] };
  const svg = svgOf(shapesOf(drawing({ scene: hostile })), size, theme, "A & B <i>");
  assert.ok(!svg.includes("<script") && !svg.includes("<i>"));
  assert.ok(svg.startsWith("<svg xmlns=") && svg.includes("A &#38; B"));
  assert.equal((svg.match(/<circle /g) ?? []).length, 5);
});

const pixelAt = (pixels, x, y) => [...pixels.data.slice((y * pixels.width + x) * 4, (y * pixels.width + x) * 4 + 4)];
const drawnOn = (pixels) => [...pixels.data].filter((part, n) => n % 4 === 0 && part < 255).length;
const paper = (width, height) => {
  const pixels = new Pixels(width, height);
  pixels.fill([255, 255, 255]);
  return pixels;
};

test("a line covers each pixel of its way once, and its end not", () => {
  const pixels = paper(20, 10);
  pixels.line(2.5, 3.5, 12.5, 3.5, weightOf(0.999));
  pixels.cover([10, 20, 30]);
  assert.equal(drawnOn(pixels), 10);
  assert.deepEqual(pixelAt(pixels, 2, 3).map((part, n) => Math.abs(part - [10, 20, 30, 255][n]) < 3), [true, true, true, true]);
  assert.deepEqual(pixelAt(pixels, 12, 3), [255, 255, 255, 255]);
});

test("lines that leave the picture, or never come to it, draw nothing elsewhere", () => {
  for (const [from, to] of [[[-50, 5], [50, 5]], [[10, -1e6], [10, 1e6]], [[-30, -30], [60, 60]], [[19.999, 9.999], [-5, -5]]]) {
    const pixels = paper(20, 10);
    pixels.line(...from, ...to, weightOf(0.9));
    pixels.cover([0, 0, 0]);
    assert.ok(drawnOn(pixels) >= 5 && drawnOn(pixels) <= 20, `${from} ${to}: ${drawnOn(pixels)}`);
  }
  const pixels = paper(20, 10);
  for (const ends of [[-5, -5, -1, -1], [25, 0, 25, 9], [0, 10, 19, 10], [5, 5, 5, 5], [NaN, 0, 3, 3]]) pixels.line(...ends, weightOf(0.9));
  pixels.cover([0, 0, 0]);
  assert.equal(drawnOn(pixels), 0);
});

test("pale lines add up as one over the other, however many, and a dash leaves gaps", () => {
  const once = paper(10, 2);
  for (let n = 0; n < 2; n++) once.line(0, 0.5, 10, 0.5, weightOf(0.5));
  once.cover([0, 0, 0]);
  assert.ok(Math.abs(pixelAt(once, 4, 0)[0] - 64) < 3);
  for (let n = 0; n < 20_000; n++) once.line(0, 0.5, 10, 0.5, weightOf(0.5));
  once.cover([0, 0, 0]);
  assert.ok(pixelAt(once, 4, 0)[0] < 2);
  const dashed = paper(18, 1);
  dashed.line(0, 0.5, 18, 0.5, weightOf(0.9), [5, 4]);
  dashed.cover([0, 0, 0]);
  assert.deepEqual([...Array(18).keys()].map((x) => pixelAt(dashed, x, 0)[0] < 255), [...Array(18).keys()].map((x) => x % 9 < 5));
});

test("a small picture is put where it belongs, and cut at the edge", () => {
  const data = new Uint8ClampedArray(3 * 3 * 4);
  data.set([200, 100, 50, 255], 4 * 4); // the middle
  data.set([0, 0, 0, 128], 4 * 8); // below it, to the right
  const picture = new Picture({ width: 3, height: 3, data });
  const pixels = paper(6, 6);
  pixels.stamp(picture, 2.2, 3.9);
  assert.deepEqual(pixelAt(pixels, 2, 3), [200, 100, 50, 255]);
  assert.ok(Math.abs(pixelAt(pixels, 3, 4)[0] - 127) < 3);
  pixels.stamp(picture, 5.5, 5.5);
  pixels.stamp(picture, -9, 2);
  assert.equal(drawnOn(pixels), 3);
  assert.deepEqual(partsOf("#0072b2"), [0, 114, 178]);
});

test("lines of one look stand together, those of the selected node last, and the plan is made once", () => {
  const chosen = drawing({ selected: 2, near: new Set([0]) });
  const plan = planOf(chosen);
  assert.deepEqual(plan.lines.map(({ members }) => members), [[0], [1]]);
  assert.deepEqual([...plan.order], [2, 0, 1]);
  assert.equal(planOf({ ...chosen, camera: { x: 1, y: 1, scale: 0.1 } }), plan);
  assert.notEqual(planOf({ ...chosen, selected: 1 }), plan);
});

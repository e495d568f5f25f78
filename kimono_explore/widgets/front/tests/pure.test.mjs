// What needs no page: pages, places of the scroll bar, keys, choices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

const load = async (name) => {
  const built = await build({ entryPoints: [new URL(`../${name}.ts`, import.meta.url).pathname], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString("base64")}`);
};
const { spanAt, placeOf, movedBy, heightOf, ROW, TALLEST } = await load("scroll");
const { Pages, PAGE } = await load("pages");
const { lead, picked } = await load("keys");
const { between, chosenAfter, caption, inOrder, rangeOf } = await load("header");
const { Download } = await load("download");
const { followRatio } = await load("dom");
const { shrinking, sizesOf, widened, widthOf } = await load("columns");
const { found } = await load("marks");
const NO_ROWS = { at: [], rows: [] };
const key = (name, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

test("the first and the last row are reached, whatever the number of rows", () => {
  for (const rows of [1, 3, 10, 1_000, 468_750, 468_751, 600_000, 5_000_000]) {
    const seen = 300;
    assert.equal(spanAt(0, seen, rows).first, 0);
    const end = spanAt(heightOf(rows) - seen, seen, rows);
    assert.equal(end.last, rows - 1);
    const bottom = end.top + (end.last - end.first + 1) * ROW;
    assert.ok(Math.abs(bottom - Math.max(heightOf(rows), 0)) < 0.01, `${rows}: ${bottom}`);
  }
});

test("every row can be brought on screen, and is then whole", () => {
  for (const rows of [5, 1_000, 600_000])
    for (const row of [0, 1, 4, Math.floor(rows / 2), rows - 1]) {
      const place = placeOf(row, heightOf(rows) / 3, 300, rows);
      const { first, top } = spanAt(place, 300, rows);
      const y = top + (row - first) * ROW - place;
      assert.ok(y > -0.1 && y + ROW < 300.1 , `row ${row} of ${rows} stands at ${y}`);
    }
});

test("beyond the cap the wheel goes as far in rows as below it", () => {
  assert.equal(heightOf(600_000), TALLEST);
  const rows = 600_000, seen = 300;
  const before = spanAt(1_000_000, seen, rows), after = spanAt(movedBy(320, 1_000_000, seen, rows), seen, rows);
  assert.equal(after.first - before.first, 10);
});

test("a page is asked for once, and answers to others are let be", () => {
  const sent = [];
  const pages = new Pages((message) => sent.push(message));
  pages.renew(1, NO_ROWS);
  pages.want(0, 20, 10 * PAGE, 0);
  pages.want(0, 20, 10 * PAGE, 0);
  assert.deepEqual(sent.map((message) => message.start), [0, PAGE]);
  assert.equal(pages.take({ kind: "page", request: 99, version: 1, at: [], rows: [] }), false);
  assert.equal(pages.take({ kind: "page", request: sent[0].request, version: 1, at: [7], rows: [["a"]] }), true);
  assert.deepEqual(pages.row(0), { at: 7, cells: ["a"] });
});

test("an answer of before a change is not shown", () => {
  const sent = [];
  const pages = new Pages((message) => sent.push(message));
  pages.renew(1, NO_ROWS);
  pages.want(0, 20, PAGE, 0);
  pages.renew(2, { at: [3], rows: [["new"]] });
  assert.equal(pages.take({ kind: "page", request: sent[0].request, version: 1, at: [7], rows: [["old"]] }), false);
  assert.deepEqual(pages.row(0), { at: 3, cells: ["new"] });
});

test("few requests are under way at a time, and few pages are kept", () => {
  const sent = [];
  const pages = new Pages((message) => sent.push(message));
  pages.renew(1, NO_ROWS);
  for (let page = 0; page < 100; page++) {
    pages.want(page * PAGE, page * PAGE, 1_000 * PAGE, 1);
    for (const { request } of sent.splice(0)) pages.take({ kind: "page", request, version: 1, at: [0], rows: [["x"]] });
  }
  assert.equal(pages.row(0), undefined);
  for (let page = 200; page < 300; page++) pages.want(page * PAGE, page * PAGE, 1_000 * PAGE, 1);
  assert.equal(sent.length, 3);
});

test("keys lead through rows, columns and the header", () => {
  const at = { row: 0, column: 1 };
  assert.deepEqual(lead(key("ArrowUp"), at, 10, 3, 5), { row: -1, column: 1 });
  assert.deepEqual(lead(key("ArrowDown"), { row: 9, column: 1 }, 10, 3, 5), { row: 9, column: 1 });
  assert.deepEqual(lead(key("End"), at, 10, 3, 5), { row: 0, column: 2 });
  assert.deepEqual(lead(key("End", { ctrlKey: true }), at, 10, 3, 5), { row: 9, column: 2 });
  assert.deepEqual(lead(key("Home", { ctrlKey: true }), { row: 7, column: 2 }, 10, 3, 5), { row: 0, column: 0 });
  assert.deepEqual(lead(key("PageDown"), at, 10, 3, 5), { row: 5, column: 1 });
  assert.deepEqual(lead(key("PageUp"), { row: 3, column: 0 }, 10, 3, 5), { row: 0, column: 0 });
  assert.deepEqual(lead(key("ArrowDown"), { row: -1, column: 0 }, 0, 3, 5), { row: -1, column: 0 });
  assert.equal(lead(key("x"), at, 10, 3, 5), undefined);
  assert.equal(lead(key("ArrowLeft", { altKey: true }), at, 10, 3, 5), undefined);
});

test("a click picks one, with Ctrl one more or one fewer", () => {
  assert.deepEqual(picked([1], 2, true, false), [2]);
  assert.deepEqual(picked([1], 2, true, true), [1, 2]);
  assert.deepEqual(picked([1, 2], 2, true, true), [1]);
  assert.deepEqual(picked([1], 2, false, true), [2]);
});

test("a bar clicked again takes its filter away", () => {
  assert.deepEqual(chosenAfter([], 2, false), [2]);
  assert.deepEqual(chosenAfter([2], 2, false), []);
  assert.deepEqual(chosenAfter([1, 2], 2, false), [2]);
  assert.deepEqual(chosenAfter([1], 2, true), [1, 2]);
});

test("a caption tells a column without a picture", () => {
  const column = { name: "n", title: "n", kind: "range", bars: [{ label: "0 to 4" }, { label: "5 to 9" }], chosen: [], missing: false, other: false, different: 9 };
  assert.deepEqual(caption(column), ["0", "9"]);
  assert.deepEqual(caption({ ...column, bars: [...column.bars, { label: "missing" }], missing: true }), ["0–9", "none"]);
  assert.deepEqual(caption({ ...column, bars: [{ label: "missing" }], missing: true }), ["all missing", ""]);
  assert.deepEqual(caption({ ...column, kind: "different", bars: [], different: 1234 }), ["1,234 different", ""]);
});

test("dragging takes the bars in between, and what is missing stands alone", () => {
  const bars = ["0 to 4", "5 to 9", "10 to 14", "missing"].map((label) => ({ label, total: 1, left: 1 }));
  const column = { name: "n", title: "n", kind: "range", bars, chosen: [], missing: true, other: false, different: 9 };
  assert.deepEqual(between(column, 2, 0), [0, 1, 2]);
  assert.deepEqual(between(column, 1, 1), [1]);
  assert.deepEqual(between(column, 1, 3), [1, 2]);
  assert.deepEqual(between(column, 3, 0), [3]);
  assert.equal(rangeOf(column, [2, 1]), "5 to 14");
  assert.equal(rangeOf(column, [0, 2]), "");
  assert.equal(rangeOf(column, [2, 3]), "");
  assert.deepEqual(caption({ ...column, chosen: [0, 1] }), ["0 to 9", ""]);
  assert.equal(inOrder(column), true);
  assert.equal(inOrder({ ...column, kind: "value" }), false);
});

test("a file is offered once all its parts are there", () => {
  const offered = [];
  const download = new Download((...file) => offered.push(file));
  const about = { kind: "file", as: "csv", name: "people.csv", type: "text/csv", parts: 2 };
  const bytes = [new Uint8Array([1]).buffer];
  assert.equal(download.take({ kind: "page" }, []), undefined);
  assert.deepEqual(download.take({ kind: "making", done: 20000, of: 600000 }, []), { said: "Making the file: 20,000 of 600,000 rows", done: false });
  assert.equal(download.take({ ...about, part: 0 }, bytes).done, false);
  assert.deepEqual(offered, []);
  assert.equal(download.take({ ...about, part: 1 }, bytes).done, true);
  assert.deepEqual(offered, [["people.csv", "text/csv", [bytes[0], bytes[0]]]]);
  assert.match(download.take({ ...about, part: 1 }, bytes).said, /did not come whole/);
  assert.deepEqual(download.take({ kind: "file", error: "too many rows" }, []), { said: "too many rows", done: true });
});

test("the last pinned column takes room that is left, as others do", () => {
  const column = (pinned, wide = null) => ({ name: "n", title: "n", bars: [], kind: "value", id: false, width: 50, pinned, wide });
  const columns = [column(true), column(true), column(false)];
  const { template, lefts } = sizesOf(columns, columns.map(widthOf), 2000);
  assert.equal(template, "320px minmax(320px, 320fr) minmax(320px, 320fr)");
  assert.deepEqual(lefts, [0, 320, undefined]);
});

test("pinned columns have a place as long as they leave room", () => {
  const column = (pinned, wide = null) => ({ name: "n", title: "n", bars: [], kind: "value", id: false, width: 5, pinned, wide });
  const columns = [column(true), column(true, 200), column(false), column(false, 50)];
  const widths = columns.map(widthOf);
  assert.deepEqual(widths, [88, 200, 88, 50]);
  assert.deepEqual(sizesOf(columns, widths, 1000), { template: "88px 200px minmax(88px, 88fr) 50px", wide: 426, lefts: [0, 88, undefined, undefined], kept: 288 });
  assert.deepEqual(sizesOf(columns, widths, 300).lefts, [0, undefined, undefined, undefined]);
});

test("long texts shrink where all columns then are in view", () => {
  const columns = [{ wide: null, pinned: false }, { wide: null, pinned: false }, { wide: 200, pinned: false }];
  assert.deepEqual(shrinking(columns, [350, 80, 200], 700), [350, 80, 200]);
  assert.deepEqual(shrinking(columns, [350, 80, 200], 500), [220, 80, 200]);
  assert.deepEqual(shrinking(columns, [350, 80, 200], 400), [350, 80, 200]);
  assert.deepEqual(shrinking(columns, [350, 80, 200], 0), [350, 80, 200]);
  const pinned = [{ wide: null, pinned: true }, { wide: null, pinned: false }];
  assert.deepEqual(shrinking(pinned, [320, 250], 500), [320, 180]);
  assert.deepEqual(shrinking(pinned, [320, 90], 350), [260, 90]);
});

test("Alt and an arrow key widen a column, within bounds", () => {
  assert.equal(widened({ key: "ArrowRight", altKey: true }, 100), 116);
  assert.equal(widened({ key: "ArrowLeft", altKey: true }, 44), 40);
  assert.equal(widened({ key: "ArrowLeft", altKey: false }, 44), undefined);
  assert.equal(widened({ key: "ArrowUp", altKey: true }, 44), undefined);
});

test("what was searched for is found whatever its case and accents", () => {
  const marked = (text, ...words) => found(text, words).map(([first, last]) => text.slice(first, last));
  assert.deepEqual(marked("Mathematics 1, mathematics", "mathematics"), ["Mathematics", "mathematics"]);
  assert.deepEqual(marked("José Þórr O’Neil", "jose", "thorr", "o'neil"), ["José", "Þórr", "O’Neil"]);
  assert.deepEqual(marked("Jose\u0301 x", "jose"), ["Jose\u0301"]);
  assert.deepEqual(marked("👩‍🎓 Ada", "ada"), ["Ada"]);
  assert.deepEqual(marked("Smith, Jojo", "smith", "j"), ["Smith", "J"]);
  assert.deepEqual(marked("abcabc", "bc", "abc", "ca"), ["abcabc"]);
  assert.deepEqual(marked("<b>x</b>", "<b>"), ["<b>"]);
  assert.deepEqual(marked("Ada", "", "x"), []);
});

test("a px that becomes more of the screen is told of each time, until the end", () => {
  const asked = [];
  globalThis.matchMedia = (query) => {
    const media = new EventTarget();
    asked.push([query, media]);
    return media;
  };
  const change = () => asked.at(-1)[1].dispatchEvent(new Event("change"));
  let told = 0;
  globalThis.devicePixelRatio = 1;
  const end = followRatio(() => told++);
  globalThis.devicePixelRatio = 2;
  change();
  globalThis.devicePixelRatio = 1.5;
  change();
  assert.deepEqual([told, asked.map(([query]) => query)], [2, ["(resolution: 1dppx)", "(resolution: 2dppx)", "(resolution: 1.5dppx)"]]);
  end();
  change();
  assert.equal(told, 2);
});

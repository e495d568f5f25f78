// What of a panel needs no page: words that come back late, what a template may hold, elements that stay in place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

const load = async (name) => {
  const built = await build({ entryPoints: [new URL(`../${name}.ts`, import.meta.url).pathname], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString("base64")}`);
};
const { fill, Words } = await load("controls");
const { acts } = await load("html");

test("what comes back late does not undo what was typed since", () => {
  const words = new Words();
  const first = words.next();
  const second = words.next();
  assert.equal(words.takes("a", first), false);
  assert.equal(words.takes("ab", second), true);
  assert.equal(words.takes("mathematics", ""), true); // Python's own
  assert.equal(words.takes("x", "other:7"), true); // of another page
});

test("a value that is not new is let be, as somebody may be typing", () => {
  const words = new Words();
  assert.equal(words.takes("", ""), true);
  words.next(); // typed, and not heard yet
  assert.equal(words.takes("", ""), false);
});

test("two pages have words of their own", () => {
  assert.notEqual(new Words().next(), new Words().next());
});

test("handlers and links that are none do not come in", () => {
  for (const [name, value] of [["onerror", "x()"], ["ONLOAD", ""], ["href", " javascript:alert(1)"], ["src", "data:text/html,x"], ["xlink:href", "vbscript:x"], ["srcdoc", "x"]])
    assert.equal(acts(name, value), true, name);
  for (const [name, value] of [["href", "data:text/csv;base64,YQ=="], ["href", "https://example.org"], ["class", "kx"], ["style", "width:1px"], ["download", "a.csv"]])
    assert.equal(acts(name, value), false, name);
});

test("elements that stay are not taken out", () => {
  const moved = [];
  const element = (name) => ({ name, remove() { around.children = around.children.filter((one) => one !== this); moved.push(`-${name}`); } });
  const [a, b, c, d] = ["a", "b", "c", "d"].map(element);
  const around = {
    children: [a, b, c],
    insertBefore(one, before) {
      around.children = around.children.filter((other) => other !== one);
      const at = before === null ? around.children.length : around.children.indexOf(before);
      around.children.splice(at, 0, one);
      moved.push(`+${one.name}`);
    },
  };
  fill(around, [a, d, c]);
  assert.deepEqual(around.children.map((one) => one.name), ["a", "d", "c"]);
  assert.deepEqual(moved, ["-b", "+d"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

const entryPoints = [new URL("../socket.ts", import.meta.url).pathname];
const built = await build({ entryPoints, bundle: true, format: "esm", write: false });
const { addressOf, Model, placeOf } = await import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString("base64")}`);

test("an address says what is open and searched, and is read again", () => {
  const place = { search: "a&b", type: "person", places: [["org", "1"], ["section", "ü 2"]], at: 1, open: true };
  assert.equal(addressOf(place), "?id=%C3%BC+2&type=section&q=a%26b&only=person");
  assert.deepEqual(placeOf(addressOf(place)), { id: "ü 2", type: "section", q: "a&b", only: "person" });
  assert.equal(addressOf({ ...place, open: false, search: "", type: "" }), "");
  assert.equal(placeOf(""), undefined);
  assert.equal(addressOf({ query: { cause: "3", school: "ü 2" } }), "?cause=3&school=%C3%BC+2");
  assert.equal(addressOf({ query: {} }), "");
});

test("all that is new is there before anybody is told", () => {
  const model = new Model({ a: 1, b: 1 }, () => undefined);
  const seen = [];
  const heard = () => seen.push([model.get("a"), model.get("b")]);
  model.on("change:a", heard);
  model.on("msg:custom", (message, bytes) => seen.push([message, [...bytes].map((part) => [...part])]));
  model.renew({ a: 2, b: 3 });
  model.hear({ x: 1 }, ["AP8="]);
  model.hear({ y: 2 });
  model.off("change:a", heard);
  model.renew({ a: 4 });
  assert.deepEqual(seen, [[2, 3], [{ x: 1 }, [[0, 255]]], [{ y: 2 }, []]]);
});

// Builds the front end into ../static, or into the folder that is given: `node build.mjs /tmp/out`.
import { build } from "esbuild";
import { readFile, writeFile, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static");
await mkdir(out, { recursive: true });
const common = { bundle: true, minify: true, charset: "utf8", target: "es2022", legalComments: "none", logLevel: "warning" };
const names = ["table", "graph", "panel", "page"].flatMap((name) => [[`${name}.ts`, `${name}.js`], [`${name}.css`, `${name}.css`]]);
for (const [source, name] of names) {
  await build({ ...common, entryPoints: [join(here, source)], format: "esm", outfile: join(out, name) });
  const path = join(out, name);
  await writeFile(path, (await readFile(path, "utf8")).trimEnd() + "\n");
}

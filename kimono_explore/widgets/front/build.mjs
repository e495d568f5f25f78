// Builds the front end into ../static, or into the folder that is given: `node build.mjs /tmp/out`.
import { build } from "esbuild";
import { readFile, writeFile, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static");
await mkdir(out, { recursive: true });
const common = { bundle: true, minify: true, charset: "utf8", target: "es2022", legalComments: "none", logLevel: "warning" };
await build({ ...common, entryPoints: [join(here, "table.ts")], format: "esm", outfile: join(out, "table.js") });
await build({ ...common, entryPoints: [join(here, "table.css")], outfile: join(out, "table.css") });
for (const name of ["table.js", "table.css"]) {
  const path = join(out, name);
  await writeFile(path, (await readFile(path, "utf8")).trimEnd() + "\n");
}

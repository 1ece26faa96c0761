// Bundles src/ into one HTML file: npm run build [-- --outfile PATH]. Default: dist/page.html.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { outfile: { type: "string" } } });
const outfile = values.outfile ? resolve(values.outfile) : resolve(here, "dist/page.html");

async function bundle(entry, loader) {
  const result = await build({
    entryPoints: [resolve(here, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    platform: "browser",
    // The same input gives the same bytes: no comments with paths, no source map.
    legalComments: "none",
    charset: "ascii",
    loader,
    logLevel: "warning",
  });
  return result.outputFiles[0].text.trim();
}

function fill(template, place, text) {
  const parts = template.split(place);
  if (parts.length !== 2) throw new Error(`page.html: expected ${place} exactly once`);
  return parts[0] + text + parts[1];
}

const script = await bundle("src/main.ts", {});
const style = await bundle("src/style.css", {});
// An HTML parser ends a script at the first "</script", even within a string, and "<!--" starts
// another mode of reading it.
if (/<\/script|<!--/i.test(script)) throw new Error("the bundled script would break its element");
if (/<\/style/i.test(style)) throw new Error("the bundled style would break its element");

let page = await readFile(resolve(here, "src/page.html"), "utf8");
page = fill(page, "/* style */", style);
page = fill(page, "/* script */", script);
await mkdir(dirname(outfile), { recursive: true });
await writeFile(outfile, page);

// npm test [-- FILE...]: the page's tests, or status 77 with the reason as the last line where nothing
// can be tested, since a run of nothing but skipped tests would look like one that passed.
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { browserPath, missing } from "./browser.mjs";

if (!browserPath) {
  console.log(missing);
  process.exit(77);
}
// Those that take longest come first, so that none of them runs alone at the end.
const all = ["controls.test.mjs", "made.test.mjs", "live.test.mjs", "page.test.mjs", "lens.test.mjs", "sweep.test.mjs",
  "through.test.mjs", "served.test.mjs", "save.test.mjs", "readable.test.mjs", "ledger.test.mjs"];
const waiting = process.argv.length > 2 ? process.argv.slice(2) : all;
let failed = false;

/** The tests of one file, in a browser of its own. What it says stays together. */
async function run(name) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const test = spawn(process.execPath, ["--test", file], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [test.stdout, test.stderr]) stream.on("data", (part) => said.push(part));
  const status = await new Promise((resolve) => test.on("close", resolve));
  process.stdout.write(Buffer.concat(said));
  failed ||= status !== 0;
}

// One more at a time than there are processors: a page waits for its next frame a third of its time.
await Promise.all([null, ...cpus()].map(async () => {
  while (waiting.length > 0) await run(waiting.shift());
}));
process.exitCode = failed ? 1 : 0;

// npm test: the page's tests, or status 77 with the reason as the last line where nothing can be
// tested, since a run of nothing but skipped tests would look like one that passed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { browserPath, missing } from "./browser.mjs";

if (!browserPath) {
  console.log(missing);
  process.exit(77);
}
// One file after the other: each has a browser of its own.
let failed = false;
const files = ["page.test.mjs", "controls.test.mjs", "readable.test.mjs", "ledger.test.mjs", "sweep.test.mjs", "through.test.mjs",
  "save.test.mjs", "lens.test.mjs", "served.test.mjs", "made.test.mjs", "live.test.mjs"];
for (const name of files) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const ended = spawnSync(process.execPath, ["--test", file], { stdio: "inherit" });
  failed ||= ended.status !== 0;
}
process.exit(failed ? 1 : 0);

// A page to look at: node test/preview.mjs REPORT OUT [claims]. Takes the study out of a report and
// makes up what it lacks.
import { readFile, writeFile } from "node:fs/promises";
import { filledPage } from "./fixture.mjs";
import { headScores, madeUpFrames, madeUpLedger } from "./made_up.mjs";

const [report, out, claims] = process.argv.slice(2);
const text = await readFile(report, "utf8");
const study = JSON.parse(text.match(/<script type="application\/json" id="study-data">(.*?)<\/script>/s)[1]);
const runs = study.attention.map(({ arm, seed }) => [arm, seed]);
study.frames ??= madeUpFrames(runs, study.checkpoints, 64);
if (claims !== "0") study.ledger ??= madeUpLedger(study.name, Number(claims ?? 8));
if (!study.figures.some((one) => one.id === "head-scores")) {
  study.figures.push(headScores(study.arms.map((arm) => arm.name), study.checkpoints));
}
const template = new URL("../dist/page.html", import.meta.url);
await writeFile(out, await filledPage(template, study));

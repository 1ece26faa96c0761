// One claim: a row to scan, and behind it everything that decided it.

import { numberOf, type Claim, type ClaimTest, type PowerLaw, type SeedValue } from "../data";
import { el, spoken } from "../dom";
import { markOf, verdictOf } from "./mark";
import { quantity, ratio, signed } from "./numbers";
import { effectOf, readingOf, type Reading } from "./reading";
import { stripOf } from "./strip";

const absent = "\u2013";

function shown(value: number | string | null | undefined, unit: string): string {
  if (value === null || value === undefined) return absent;
  return typeof value === "string" ? value : quantity(value, unit);
}

function seedRow(test: ClaimTest, seed: SeedValue, reading: Reading): HTMLElement {
  const cells = [shown(seed.value, test.unit)];
  if (reading.paired) {
    const effect = effectOf(seed, reading);
    const isNumber = effect !== null && Number.isFinite(effect);
    const text = !isNumber ? absent : reading.byRatio ? ratio(effect) : signed(effect, test.unit);
    cells.push(shown(seed.other, test.unit), text);
  }
  cells.push(seed.holds === true ? "yes" : seed.holds === false ? "no" : absent);
  return el(
    "tr",
    seed.holds === false ? { class: "fails" } : {},
    el("th", { scope: "row" }, String(seed.seed)),
    ...cells.map((cell) => el("td", {}, cell)),
  );
}

function seedTable(test: ClaimTest): HTMLElement {
  const reading = readingOf(test);
  const unit = test.unit ? `, ${test.unit}` : "";
  const heads = ["seed", test.law ? "its own exponent" : `${test.arm}${unit}`];
  if (reading.paired) heads.push(reading.other, reading.effect);
  heads.push("holds");
  const head = el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name)));
  const rows = test.seeds.map((seed) => seedRow(test, seed, reading));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}

/** What a power law was fitted to, and how well it fits. */
function fitOf(test: ClaimTest, law: PowerLaw): string {
  const { mean, interval } = readingOf(test);
  if (mean === null) return `No law could be fitted to these ${law.runs.length} runs.`;
  const range = interval ? `, 95% interval [${interval.map((end) => quantity(end, "")).join(", ")}]` : "";
  const missing = law.runs.length - law.fitted;
  const without = missing > 0 ? `; ${missing} of ${law.runs.length} have no figure` : "";
  const off = law.spread === null ? "" : `; runs lie off it by a factor of ${law.spread.toPrecision(3)} (one standard deviation)`;
  return `Exponent ${quantity(mean, "")} against ${law.key}${range}; fitted to ${law.fitted} runs${without}${off}.`;
}

function spread(test: ClaimTest): string {
  if (test.law) return fitOf(test, test.law);
  const reading = readingOf(test);
  const { paired, byRatio, logarithmic, effect, byMean, mean, interval } = reading;
  const what = !paired ? "value" : effect.includes(" ") ? `${effect}:` : effect;
  // Transitions have three middles on this page: the median run, the mean of runs, and this one.
  const middle = byRatio && !logarithmic ? "ratio of means" : `${logarithmic ? "geometric mean" : "mean"} ${what}`;
  const print = (value: number) => (byRatio ? ratio(value) : quantity(value, test.unit));
  const parts: string[] = [];
  if (mean !== null) {
    const deviation = numberOf(test.standard_deviation);
    const between = deviation === null ? "" : ` \u00b1 ${quantity(deviation, test.unit)} between seeds`;
    parts.push(`${middle} ${print(mean)}${between}`);
  }
  if (interval) parts.push(`95% interval [${interval.map(print).join(", ")}]`);
  if (test.of > 0) {
    const share = test.share_interval;
    const range = share ? ` (a share of ${share[0].toFixed(2)} to ${share[1].toFixed(2)})` : "";
    parts.push(`holds in ${test.holds_in} of ${test.of} seeds${range}`);
  }
  if (parts.length === 0) return "";
  const decided = byMean ? "decided by the mean" : "decided by every seed";
  return `${[...parts, decided].join("; ")}.`;
}

function testBlock(test: ClaimTest): HTMLElement {
  const figures = spread(test);
  return el(
    "li",
    { class: "test" },
    el("p", { class: "test-says" }, markOf(test.verdict), el("span", {}, spoken(`${test.verdict}: `), test.says)),
    stripOf(test),
    test.seeds.length > 0 ? el("div", { class: "seeds" }, seedTable(test)) : null,
    figures ? el("p", { class: "spread" }, figures) : null,
    test.reason ? el("p", { class: "reason" }, test.reason) : null,
  );
}

function articleBlock(claim: Claim): HTMLElement | null {
  if (!claim.article && !claim.article_figure) return null;
  const source = claim.article_figure ? el("footer", {}, `the article's figure: ${claim.article_figure}`) : null;
  return el("blockquote", {}, claim.article ? `\u201c${claim.article}\u201d` : null, source);
}

/** In the row of a claim that is no prediction; its body has the whole sentence. */
function lateMark(claim: Claim): HTMLElement | null {
  const { stated } = claim;
  if (!stated?.mark) return null;
  const short = stated.runs_ended ? `stated after ${stated.runs_ended} of ${stated.of} runs` : "stated late";
  return el("span", { class: "claim-mark", title: stated.mark }, `, ${short}`);
}

/** REQUIRES names of claims that differ: an open claim stays open by its name. */
export function claimRow(claim: Claim): HTMLElement {
  const { kind, verdict } = verdictOf(claim.verdict);
  const number = claim.number === null ? "" : String(claim.number);
  const summary = el(
    "summary",
    { "data-key": `claim-summary-${claim.name}` },
    markOf(claim.verdict),
    el("span", { class: "claim-number", title: "The article's claim" }, number ? spoken("claim ") : null, number),
    el("span", { class: "claim-says" }, claim.says),
    el(
      "span",
      { class: "claim-outcome" },
      el("span", {}, el("span", { class: `claim-verdict ${kind}` }, verdict), lateMark(claim)),
      claim.figure ? el("span", { class: "claim-figure", title: claim.figure }, claim.figure) : null,
    ),
  );
  const runs = claim.runs.length > 0 ? el("p", { class: "runs" }, `Rests on ${claim.runs.join(", ")}.`) : null;
  return el(
    "details",
    { class: "claim", id: `claim-${claim.name}`, "data-key": `claim-${claim.name}` },
    summary,
    el(
      "div",
      { class: "claim-body" },
      claim.stated?.mark ? el("p", { class: "claim-mark" }, `This claim was ${claim.stated.mark}: it describes, and does not predict.`) : null,
      claim.reason ? el("p", { class: "claim-reason" }, claim.reason) : null,
      articleBlock(claim),
      el("ol", { class: "tests" }, ...claim.tests.map(testBlock)),
      runs,
    ),
  );
}

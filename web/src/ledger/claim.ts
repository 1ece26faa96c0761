// One claim: a row to scan, and behind it everything that decided it.

import type { Claim, ClaimTest, SeedValue } from "../data";
import { el, spoken } from "../dom";
import { integer, tokens } from "../format";
import { markOf, verdictOf } from "./mark";
import { isPaired, stripOf } from "./strip";

function quantity(value: number | string | null, unit: string): string {
  if (value === null) return "\u2013";
  if (typeof value === "string") return value;
  if (unit === "tokens") return Math.abs(value) >= 1000 ? tokens(value) : integer(value);
  const small = Math.abs(value) < 0.01 && value !== 0;
  return small ? Number(value.toPrecision(2)).toString() : value.toFixed(3);
}

function signed(value: number | null, test: ClaimTest): string {
  if (value === null) return "\u2013";
  if (test.scale === "log") return `\u00d7 ${value.toPrecision(3)}`;
  return value < 0 ? `\u2212${quantity(-value, test.unit)}` : `+${quantity(value, test.unit)}`;
}

function holdsText(seed: SeedValue): string {
  return seed.holds === null ? "\u2013" : seed.holds ? "yes" : "no";
}

function seedTable(test: ClaimTest): HTMLElement {
  const paired = test.seeds.some((seed) => seed.other !== null || seed.difference !== null);
  const unit = test.unit ? `, ${test.unit}` : "";
  const heads = ["seed", `${test.arm}${unit}`];
  if (paired) heads.push(test.against, test.scale === "log" ? "ratio" : "difference");
  heads.push("holds");
  const rows = test.seeds.map((seed) => {
    const cells = [quantity(seed.value, test.unit)];
    if (paired) cells.push(quantity(seed.other, test.unit), signed(seed.difference, test));
    cells.push(holdsText(seed));
    const kind = seed.holds === false ? { class: "fails" } : undefined;
    return el(
      "tr",
      kind,
      el("th", { scope: "row" }, String(seed.seed)),
      ...cells.map((cell) => el("td", {}, cell)),
    );
  });
  const head = el("tr", {}, ...heads.map((name) => el("th", { scope: "col" }, name)));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}

function spread(test: ClaimTest): string {
  const parts: string[] = [];
  if (test.mean !== null) {
    const deviation = test.standard_deviation === null ? "" : ` \u00b1 ${quantity(test.standard_deviation, test.unit)}`;
    parts.push(`mean ${quantity(test.mean, test.unit)}${deviation} (one standard deviation between seeds)`);
  }
  if (test.interval) {
    const paired = isPaired(test);
    const what = paired ? (test.scale === "log" ? "ratio" : "difference") : "mean";
    const unit = paired && test.scale === "log" ? "" : test.unit;
    const [low, high] = test.interval.map((end) => quantity(end, unit));
    parts.push(`95% interval of the ${what} [${low}, ${high}]`);
  }
  if (test.of > 0) {
    const share = test.share_interval;
    const range = share ? `, a share between ${share[0].toFixed(2)} and ${share[1].toFixed(2)}` : "";
    parts.push(`holds in ${test.holds_in} of ${test.of} seeds${range}`);
  }
  return parts.length > 0 ? `${parts.join("; ")}.` : "";
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
      el("span", { class: `claim-verdict ${kind}` }, verdict),
      claim.figure ? el("span", { class: "claim-figure" }, claim.figure) : null,
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
      claim.reason ? el("p", { class: "claim-reason" }, claim.reason) : null,
      articleBlock(claim),
      el("ol", { class: "tests" }, ...claim.tests.map(testBlock)),
      runs,
    ),
  );
}

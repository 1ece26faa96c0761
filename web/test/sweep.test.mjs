// A study over a number: its figure first, a legend of numbers in place of one of arms, and the power law.
import assert from "node:assert/strict";
import { test } from "node:test";
import { study } from "./fixture.mjs";
import { drawn, openStudy, skipGiven } from "./opened.mjs";

const law = {
  key: "model.context", exponent: 1.467, factor: 5000, spread: 1.042, fitted: 5,
  runs: [24, 48, 96].flatMap((at) => [0, 1].map((seed) => ({ run: `sgd,context=${at}/seed-${seed}`, at, seed, value: at === 96 && seed === 1 ? "never" : 5000 * at ** 1.467 }))),
};

const claim = {
  ...study.ledger.claims[0], name: "square", says: "It grows with the square.", verdict: "contradicted", figure: "exponent 1.47 [1.43, 1.49]",
  tests: [{
    says: "sgd: tokens until the first transition is proportional to model.context^p, p between 1.5 and 2.5",
    finding: "transition_tokens", probe: "repeated-blocks", unit: "", arm: "sgd", relation: "exponent", against: "1.5 to 2.5",
    compared_with: null, compared_by: null, threshold: [1.5, 2.5], decided_by: "fit", scale: "linear", verdict: "contradicted",
    reason: "the 95% interval of the exponent over 5 runs lies outside the band", figure: "exponent 1.47 [1.43, 1.49]",
    seeds: [1.46, 1.475].map((value, seed) => ({ seed, value, other: null, effect: null, holds: false })),
    mean: 1.467, standard_deviation: null, interval: [1.43, 1.49], holds_in: 0, of: 2, share_interval: null, law,
  }],
};

const dots = law.runs.filter(({ value }) => value !== "never").map(({ at, seed, value }) => ({ group: seed ? "adamw" : "sgd", at, seed, value }));
const figure = {
  id: "sweep-context", title: "Against model.context", caption: "What the runs come to.",
  variants: [{
    id: "sweep-context-transition", label: "",
    spec: {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json", width: 640, height: 300, usermeta: { keepsLegend: true },
      title: { text: ["sgd: context^1.47 [1.43, 1.49]"], anchor: "start" }, data: { values: dots }, mark: "point",
      encoding: {
        x: { field: "at", type: "quantitative", scale: { type: "log" } }, y: { field: "value", type: "quantitative", scale: { type: "log" } },
        color: { field: "group", type: "nominal", title: null, legend: { orient: "bottom" } },
      },
    },
  }],
};

const swept = {
  ...study,
  legend: { title: "model.context", entries: [["24", "#5B3FB8", false], ["96", "#EE942F", false], ["adamw", "#3B434B", true]].map(([label, color, dashed]) => ({ label, color, dashed })) },
  figures: [figure, ...study.figures],
  ledger: { ...study.ledger, claims: [claim] },
};

test("the figure of a sweep stands first, with its laws and its own legend", { skip: skipGiven }, async () => {
  const { page, unhandled } = await openStudy(swept);
  await drawn(page);
  const first = page.locator(".first .chart-figure").first();
  assert.equal(await first.getAttribute("id"), "sweep-context");
  const drawing = await first.locator("svg.marks").textContent();
  for (const part of ["context^1.47 [1.43, 1.49]", "adamw"]) assert.ok(drawing.includes(part), `${part} in ${drawing}`);
  assert.equal(await page.locator(".first .chart-figure").count(), 2);
  assert.deepEqual(unhandled, []);
  await page.close();
});

test("the legend has the numbers of a sweep, not its arms", { skip: skipGiven }, async () => {
  const { page } = await openStudy(swept);
  assert.deepEqual(await page.locator(".arms-legend li").allInnerTexts(), ["model.context", "24", "96", "adamw"]);
  assert.equal(await page.locator(".arms-legend li.dashed").count(), 1);
  await page.close();
});

test("a law shows its exponent, that of each seed, and what it was fitted to", { skip: skipGiven }, async () => {
  const { page } = await openStudy(swept);
  const body = page.locator(".claim").first();
  await body.locator("> summary").click();
  const text = await body.locator(".claim-body").innerText();
  for (const part of ["Exponent 1.467 against model.context, 95% interval [1.430, 1.490]", "fitted to 5 runs; 1 of 6 have no figure",
    "a factor of 1.04", "its own exponent", "1.475", "lies outside the band"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.equal(await body.locator(".strip circle").count(), 2);
  await page.close();
});

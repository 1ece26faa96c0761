// The page of a small study as the program makes it: its own figures, read and clicked.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { browser, complaints, drawn, nameOf, ownDirectory, views } from "./opened.mjs";
import { addressOf, skip, smallStudy, start } from "./program.mjs";
import { openAll, unreadable } from "./readable.mjs";
import { clickEverything } from "./walk.mjs";

const claims = `[[claim]]
name = "parted"
says = "The sequential layer ends with a higher score."
[[claim.test]]
finding = "induction_score"
arm = "sequential"
above_arm = "two-layer"
`;

let making = null;

/** The directory of the study, which the first that asks for it makes. */
function made() {
  return (making ??= make());
}

async function make() {
  const directory = await ownDirectory();
  const file = join(directory, "small.toml");
  const out = join(directory, "study");
  await writeFile(file, smallStudy("100k", claims));
  const study = start("study", file, "--out", out, "--threads", "2");
  assert.deepEqual(await study.ended, { code: 0, signal: null }, study.said);
  return out;
}

async function visit(view, url) {
  const page = await browser.newPage(view);
  page.setDefaultTimeout(60_000);
  const wrong = complaints(page, /^(file|data|blob|http:\/\/127\.0\.0\.1)/);
  await page.goto(url);
  await page.locator(".lens .mechanism").waitFor();
  await drawn(page);
  return { page, wrong };
}

const report = async () => pathToFileURL(join(await made(), "report.html")).href;

for (const view of views) {
  test(`every text of the program's figures can be read: ${nameOf(view)}`, { skip }, async () => {
    const { page } = await visit(view, await report());
    await openAll(page);
    // Every variant of every figure.
    for (let at = 0; at < 3; ++at) {
      await page.evaluate((index) => {
        for (const choice of document.querySelectorAll("figure .choice")) choice.querySelectorAll("input")[index]?.click();
      }, at);
      await drawn(page);
      assert.deepEqual(await unreadable(page), []);
      assert.doesNotMatch(await page.locator("main").innerText(), /\w x \w/);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), view.viewport.width);
    }
    await page.close();
  });
}

/** The least difference of two colors in CIE Lab, for normal and for color-blind readers. */
function difference(a, b) {
  // Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
  const visions = [
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
  ];
  const linear = (color) => color.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  const times = (matrix, color) => matrix.map((row) => row.reduce((sum, one, i) => sum + one * color[i], 0));
  const lab = (color) => {
    const xyz = times([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]],
      color.map((one) => Math.min(1, Math.max(0, one))));
    const [x, y, z] = xyz.map((one) => (one > 0.008856 ? Math.cbrt(one) : 7.787 * one + 16 / 116));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  };
  return Math.min(...visions.map((vision) => {
    const [p, q] = [a, b].map((color) => lab(times(vision, linear(color))));
    return Math.hypot(...p.map((one, i) => one - q[i]));
  }));
}

/** What looks alike differs by less: two grays of which one is hardly lighter. */
const leastDifference = 10;

for (const view of views.filter(({ viewport }) => viewport.width === 1400)) {
  test(`heads and ablations have no arm's color, to color-blind readers either: ${nameOf(view)}`, { skip }, async () => {
    const { page } = await visit(view, await report());
    const rgb = (list) => list.map((text) => text.match(/[\d.]+/g).slice(0, 3).map((one) => Number(one) / 255));
    const arms = rgb(await page.locator(".arms-legend .swatch").evaluateAll((all) =>
      all.map((one) => getComputedStyle(one).backgroundColor)));
    assert.equal(arms.length, 2);
    for (const figure of ["ablation", "eigenvalues", "positional"]) {
      const marks = rgb(await page.locator(`#${figure} .mark-symbol path, #${figure} .mark-line path, #${figure} .mark-rule line`)
        .evaluateAll((all) => [...new Set(all.flatMap((one) => {
          const { fill, stroke } = getComputedStyle(one);
          return [fill, stroke].filter((color) => color.startsWith("rgb("));
        }))]));
      assert.ok(marks.length > 0, figure);
      for (const mark of marks) {
        for (const arm of arms) assert.ok(difference(mark, arm) >= leastDifference, `${figure}: ${mark} like ${arm}`);
      }
    }
    const shapes = await page.locator("#ablation .role-legend-symbol path").evaluateAll((all) =>
      all.map((one) => one.getAttribute("d").replace(/[\d.,-]+/g, "")));
    assert.equal(new Set(shapes).size, 3, `shapes of zero, mean and resample: ${shapes}`);
    await page.close();
  });
}

for (const view of [views[0], views[3]]) {
  test(`every control of a study that is served is hit and does something: ${nameOf(view)}`, { skip }, async () => {
    const server = start("serve", await made(), "--port", "0");
    const { page, wrong } = await visit(view, await addressOf(server));
    await clickEverything(page);
    assert.deepEqual(wrong, []);
    await page.close();
    server.kill("SIGTERM");
    await server.ended;
  });
}

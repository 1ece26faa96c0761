// The verdicts: a row a claim, and what stands behind it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { study } from "./fixture.mjs";
import { madeUpLedger } from "./made_up.mjs";
import { open, openStudy, skipGiven } from "./opened.mjs";

test("the list says how many of each verdict, and each claim with its figure", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const tally = await page.locator(".tally li").allInnerTexts();
  assert.deepEqual(tally.map((text) => text.replace(/\s+/g, " ").trim()),
    ["5 supported", "1 contradicted", "1 not decided", "1 not tested"]);
  const rows = page.locator(".claim > summary");
  assert.equal(await rows.count(), 8);
  const row = await rows.nth(4).innerText();
  for (const part of ["5", "The two-layer model ends sharper", "supported", "0.17 [0.11, 0.23] in 5 seeds"]) {
    assert.ok(row.includes(part), `${part} in ${row}`);
  }
  assert.deepEqual(wrong, []);
  await page.close();
});

test("verdicts differ in shape, not in color alone", { skip: skipGiven }, async () => {
  const { page } = await open();
  const shapes = await page.locator(".tally .mark svg").evaluateAll((marks) =>
    marks.map((mark) => mark.innerHTML.replace(/class="[^"]*"/g, "")));
  assert.equal(new Set(shapes).size, 4);
  await page.close();
});

test("a claim opens, by the keyboard too, to words, tests, seeds, interval, reason and runs", { skip: skipGiven }, async () => {
  const { page } = await open();
  const claim = page.locator(".claim").first();
  await claim.locator("> summary").focus();
  await page.keyboard.press("Enter");
  const text = await claim.locator(".claim-body").innerText();
  for (const part of ["The two layer model develops induction heads", "a score of 0.99", "lies above that of the parallel layer",
    "95% interval [0.110, 0.230]", "holds in 5 of 5 seeds", "the interval lies on one side of zero", "Rests on two-layer/seed-0"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  const rows = await claim.locator(".test").first().locator("tbody tr").allInnerTexts();
  assert.equal(rows.length, 5);
  assert.match(rows[0], /^0\s+1\.0\d+\s+0\.860\s+\+0\.\d+\s+yes$/);
  assert.equal(await claim.locator(".strip circle").count(), 10);
  await page.keyboard.press("Enter");
  assert.equal(await claim.locator(".claim-body").isVisible(), false);
  await page.close();
});

test("a test shows what its values are held against: numbers, ratios, words", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const claim = page.locator(".claim").nth(1);
  await claim.locator("> summary").click();
  const tests = claim.locator(".test");
  assert.deepEqual(await tests.nth(0).locator(".strip-label").allTextContents(), ["5M", "20M"]);
  assert.match(await tests.nth(0).innerText(), /mean value 684k, a factor of 1\.17 between seeds; 95% interval \[161k, 2\.90M\]; holds in 0 of 2 seeds/);
  assert.match(await tests.nth(1).locator("tbody tr").first().innerText(), /^0\s+557k\s+766k\s+\u00d7 0\.727\s+yes$/);
  assert.match(await tests.nth(1).innerText(), /mean ratio \u00d7 0\.777.*95% interval \[\u00d7 0\.335, \u00d7 1\.80\]/);
  assert.deepEqual(await tests.nth(1).locator(".strip-label").allTextContents(), ["\u00d7 1"]);
  assert.match(await tests.nth(2).locator("tbody").innerText(), /0\s+k-composition\s+yes\s+1\s+\u2013\s+\u2013/);
  assert.equal(await tests.nth(2).locator(".strip").count(), 0);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("fifteen claims can be scanned: each in two lines, all within one and a half screens", { skip: skipGiven }, async () => {
  const { page } = await openStudy({ ...study, ledger: madeUpLedger("fixture", 15) });
  const rows = page.locator(".claim > summary");
  assert.equal(await rows.count(), 15);
  const heights = await rows.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  assert.ok(Math.max(...heights) <= 48, String(heights));
  const list = await page.locator(".claims").boundingBox();
  assert.ok(list.y + list.height <= 900, `ends at ${list.y + list.height}`);
  await page.close();
});

test("a claim without tests, words, number or figure is a row all the same", { skip: skipGiven }, async () => {
  const bare = { name: "bare", number: null, says: "It says this.", article: "", article_figure: "", verdict: "something new",
    reason: "", figure: "", tests: [], runs: [] };
  const { page, unhandled } = await openStudy({ ...study, ledger: { question: "", claims: [bare] } });
  const text = await page.locator(".claim > summary").innerText();
  assert.match(text, /It says this\.\s+something new/);
  assert.deepEqual(unhandled, []);
  await page.close();
});

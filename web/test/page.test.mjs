// The page as a whole: its sections, its colors, its widths, its slider.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostileName } from "./fixture.mjs";
import { study } from "./fixture.mjs";
import { drawn, open, openStudy, skip, skipGiven } from "./opened.mjs";

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1400, 1000, 768, 390]) {
    test(`opens without errors, requests or overflow: ${colorScheme}, ${width} px`, { skip }, async () => {
      const { page, wrong } = await open({ colorScheme, viewport: { width, height: 900 } });
      assert.ok((await page.locator(".chart svg.marks").count()) >= 3);
      assert.ok((await page.locator(".outcome tbody tr").count()) >= 2);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.deepEqual(wrong, []);
      await page.close();
    });
  }
}

test("arrow keys move through training from anywhere on the page", { skip }, async () => {
  const { page } = await open();
  const at = async () => Number(await page.locator(".timeline").getAttribute("data-checkpoint"));
  const last = await at();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await at(), last - 1);
  await page.keyboard.press("ArrowRight");
  assert.equal(await at(), last);
  await page.close();
});

test("play runs through the checkpoints and stops at the end", { skip }, async () => {
  const { page } = await open();
  const slider = page.getByRole("slider");
  const last = await slider.inputValue();
  await page.getByRole("button", { name: "Play" }).click();
  await page.waitForFunction(() => document.querySelector(".timeline").dataset.checkpoint === "0");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByRole("button", { name: "Play" }).waitFor({ timeout: 60_000 });
  assert.equal(await slider.inputValue(), last);
  await page.close();
});

test("a moved slider stops the play", { skip }, async () => {
  const { page } = await open();
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("slider").press("ArrowRight");
  await page.getByRole("button", { name: "Play" }).waitFor();
  await page.close();
});

test("names are text, whatever they hold", { skip: skipGiven }, async () => {
  const { page } = await open();
  assert.equal(await page.title(), "fixture \u00b7 lookback");
  assert.ok((await page.locator("h1").innerText()).includes(hostileName));
  assert.equal(await page.locator("main img").count(), 0);
  await page.close();
});

test("with verdicts, question, verdicts and both curves stand in the first screen", { skip: skipGiven }, async () => {
  const { page } = await open();
  for (const place of ["h1", ".ledger", "#induction-score .chart", "#second-half-loss .chart"]) {
    const box = await page.locator(place).boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 900, `${place} ends at ${box.y + box.height}`);
  }
  await page.close();
});

test("without a ledger there are no verdicts, and nothing else is missing", { skip: skipGiven }, async () => {
  const { ledger: _, frames: __, progress: ___, ...older } = structuredClone(study);
  const { page, unhandled } = await openStudy(older);
  await drawn(page);
  assert.equal(await page.locator(".ledger").isVisible(), false);
  assert.equal(await page.getByRole("heading", { name: "What was learned, and when" }).isVisible(), true);
  assert.equal(await page.locator(".curves .chart-figure").count(), 2);
  assert.equal(await page.locator("#frames").count(), 0);
  assert.deepEqual(unhandled, []);
  await page.close();
});

test("a figure stands where its parameters put it", { skip: skipGiven }, async () => {
  const { page } = await open();
  const within = (place) => page.locator(`${place} .chart-figure`).evaluateAll((all) => all.map((one) => one.id));
  assert.deepEqual(await within(".curves"), ["induction-score", "second-half-loss"]);
  assert.deepEqual(await within(".through"), ["loss-by-position", "head-scores"]);
  assert.deepEqual(await within(".outcome-place"), ["probes"]);
  await page.close();
});

test("every control can be reached by Tab and shows that it has the focus", { skip: skipGiven }, async () => {
  const { page } = await open();
  const seen = new Set();
  for (let presses = 0; presses < 400; ++presses) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      const shown = one.matches("input[type=radio]") ? one.nextElementSibling : one;
      const kind = one.closest(".claim summary, .play, .track, .thumb, .map, .save, .choice, .menu, .matrix, .check");
      return { kind: kind?.className || kind?.tagName, outline: getComputedStyle(shown).outlineStyle };
    });
    if (!found) break;
    assert.notEqual(found.outline, "none", JSON.stringify(found));
    if (found.kind) seen.add(found.kind);
  }
  for (const kind of ["SUMMARY", "play", "track", "thumb", "map", "save", "choice", "menu", "matrix", "check"]) {
    assert.ok(seen.has(kind), `${kind} was not reached, of ${[...seen]}`);
  }
  await page.close();
});

test("a part that cannot be read says so, and the others are shown", { skip: skipGiven }, async () => {
  const { page, unhandled } = await openStudy({ ...study, ledger: { claims: [{ name: "no more than a name" }] } });
  await drawn(page);
  assert.match(await page.locator(".ledger .part-failure").innerText(), /This cannot be drawn: /);
  assert.equal(await page.locator(".pane").count(), 2);
  assert.equal(await page.locator(".lens .mechanism").count(), 1);
  assert.deepEqual(unhandled, []);
  await page.close();
});

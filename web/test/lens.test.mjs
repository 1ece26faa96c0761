// What the lens found: the model to choose, its figures, its circuits. And each arm's configuration.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostileName, study } from "./fixture.mjs";
import { drawn, open, openStudy, skip, skipGiven } from "./opened.mjs";

/** The circuits' pixels, once drawn. */
async function circuitPixels(page, index) {
  const canvas = page.locator(".matrix canvas").nth(index);
  await page.waitForTimeout(200);
  return canvas.evaluate((element) => element.toDataURL());
}

test("every arm can be put under the lens", { skip }, async () => {
  const { page, wrong } = await open();
  const arms = page.locator(".lens-bar .choice label");
  for (let arm = 0; arm < (await arms.count()); ++arm) {
    await arms.nth(arm).click();
    await drawn(page);
    assert.ok((await page.locator(".lens .chart svg.marks").count()) >= 2);
    assert.match(await page.locator(".mechanism .verdict").innerText(), /^Mechanism: [a-z-]+/);
    const head = await page.locator(".lens-run").innerText();
    assert.ok(head.startsWith(await arms.nth(arm).innerText()), head);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1400);
  }
  assert.deepEqual(wrong, []);
  await page.close();
});

test("figures are numbered on, each once", { skip }, async () => {
  const { page } = await open();
  const captions = await page.locator("figcaption > b").allInnerTexts();
  const numbers = captions.map((text) => Number(text.match(/^Figure (\d+)\.$/)[1]));
  assert.ok(numbers.length >= 8);
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  await page.close();
});

test("the figures that decided the mechanism are told", { skip: skipGiven }, async () => {
  const { page } = await open();
  await page.locator(".mechanism summary").click();
  const facts = await page.locator(".mechanism dd").allInnerTexts();
  assert.deepEqual(facts, ["5.12 \u00b1 0.05", "0.000 \u00b1 0.000", "0.50"]);
  await page.close();
});

test("the seed chooses another run of the arm", { skip: skipGiven }, async () => {
  const { page } = await open();
  const reason = page.locator(".mechanism .reason");
  assert.equal(
    await reason.innerText(),
    "Decided by: the reason of arm 0, seed 0: 0.85 \u00b1 0.01 (\u00b1 half the interval of 95%).",
  );
  await page.locator(".lens-bar select").selectOption("1");
  assert.match(await reason.innerText(), /arm 0, seed 1/);
  await page.locator(".lens-bar .choice label").nth(1).click();
  assert.match(await reason.innerText(), /arm 1, seed 0/);
  assert.equal(await page.locator(".lens-bar select").isVisible(), false);
  await page.close();
});

test("a figure's variants are drawn when they are chosen", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const panels = page.locator("#ablation .panel");
  assert.equal(await panels.count(), 1);
  await page.locator("#ablation .choice label").nth(1).click();
  await drawn(page);
  assert.deepEqual(await panels.locator(".panel-head b").allInnerTexts(), ["panel two", "panel three"]);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("planes are as high as they are wide", { skip: skipGiven }, async () => {
  for (const width of [1400, 390]) {
    const { page } = await open({ viewport: { width, height: 900 } });
    const frame = page.locator("#eigenvalues svg.marks .root > g > path.background").first();
    const box = await frame.evaluate((path) => {
      const { width: w, height: h } = path.getBBox();
      return { w, h };
    });
    assert.ok(box.w > 80 && Math.abs(box.w - box.h) < 1, JSON.stringify(box));
    await page.close();
  }
});

test("a window made narrow has nothing that is too wide", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  await page.setViewportSize({ width: 390, height: 900 });
  await page.waitForTimeout(500);
  await drawn(page);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  const wide = await page.locator("#eigenvalues svg.marks").first().evaluate((svg) => svg.clientWidth);
  assert.ok(wide <= 390 - 36, `${wide} px`);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("a circuit tells the entry under the pointer and under the keys", { skip: skipGiven }, async () => {
  const { page } = await open();
  const entry = page.locator(".matrix .entry");
  await circuitPixels(page, 0);
  assert.equal(await entry.nth(0).innerText(), "colors \u00b18");
  const canvas = page.locator(".matrix canvas").nth(0);
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await canvas.hover({ position: { x: box.width * 0.6, y: box.height * 0.6 } });
  assert.equal(await entry.nth(0).innerText(), "token attended to 2, token predicted 2: logit 8");
  await page.mouse.move(0, 0);
  const other = page.locator(".matrix canvas").nth(1);
  await other.focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await entry.nth(1).innerText(), "query token 0, key token 1: score 0");
  await page.keyboard.press("ArrowDown");
  // A quarter of the scale, to within one part in 127 of its root.
  assert.match(await entry.nth(1).innerText(), /query token 1, key token 1: score -0\.49/);
  await page.keyboard.press("Escape");
  assert.match(await entry.nth(1).innerText(), /^colors/);
  await page.close();
});

test("circuits have other colors in the dark", { skip: skipGiven }, async () => {
  const { page } = await open();
  const light = await circuitPixels(page, 0);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.notEqual(await circuitPixels(page, 0), light);
  await page.close();
});

test("no verdict points to the reason, whatever it is", { skip: skipGiven }, async () => {
  const changed = structuredClone(study);
  changed.lens[0].mechanism = { verdict: "unresolved", reason: "not measured", facts: [] };
  const { page } = await openStudy(changed);
  assert.equal(
    await page.locator(".mechanism .verdict").innerText(),
    "Mechanism: unresolved, no verdict, for the reason below.",
  );
  assert.equal(await page.locator(".mechanism .reason").innerText(), "Reason: not measured.");
  await page.close();
});

test("a chart that cannot be drawn says so, and the others are drawn", { skip: skipGiven }, async () => {
  const changed = structuredClone(study);
  const bad = [{ filter: "((" }];
  changed.figures[0].variants[0].spec.transform = bad;
  changed.lens[0].figures[0].variants[1].panels[0].spec.transform = bad;
  changed.lens[0].matrices[0].map = "no base64!";
  const { page, unhandled } = await openStudy(changed);
  await page.locator("#induction-score .failure").waitFor();
  await page.locator("#second-half-loss svg.marks").waitFor();
  assert.match(await page.locator(".matrix").nth(0).innerText(), /This cannot be drawn: /);
  assert.equal(await page.locator(".matrix").nth(1).locator(".failure").count(), 0);
  const choices = page.locator("#ablation .choice label");
  await choices.nth(1).click();
  const panels = page.locator("#ablation .panel");
  await panels.nth(1).locator("svg.marks").waitFor();
  assert.match(await panels.nth(0).innerText(), /This cannot be drawn: /);
  // What failed blocks no later drawing of the same figure.
  await choices.nth(0).click();
  await panels.nth(0).locator("svg.marks").waitFor();
  assert.equal(await page.locator("#ablation .failure").count(), 0);
  assert.deepEqual(unhandled, []);
  await page.close();
});

test("variants chosen in haste leave the last one drawn", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  await page.evaluate(() => {
    const inputs = document.querySelectorAll("#ablation .choice input");
    for (const at of [1, 0, 1, 0, 1]) inputs[at].click();
  });
  await drawn(page);
  const panels = page.locator("#ablation .panel");
  assert.deepEqual(await panels.locator(".panel-head b").allInnerTexts(), ["panel two", "panel three"]);
  assert.equal(await panels.locator("svg.marks").count(), 2);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("what is not there is said", { skip: skipGiven }, async () => {
  const { page } = await open();
  await page.locator(".lens-bar .choice label").nth(1).click();
  const text = await page.locator(".lens-body").innerText();
  assert.match(text, /Whole circuits are kept up to 512 tokens\./);
  assert.match(text, /something was left out/);
  assert.equal(await page.locator(".matrix").count(), 0);
  await page.close();
});

test("the configuration is folded text, whatever it holds", { skip: skipGiven }, async () => {
  const { page } = await open();
  const details = page.locator(".configuration details");
  assert.equal(await details.count(), 1);
  assert.equal(await details.locator("pre").isVisible(), false);
  await details.locator("summary").click();
  assert.ok((await details.locator("pre").innerText()).includes(hostileName));
  assert.equal(await page.locator("main img").count(), 0);
  await page.close();
});

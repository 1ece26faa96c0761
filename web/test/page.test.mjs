// The page as a whole: its charts, its slider, its attention maps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostileName } from "./fixture.mjs";
import { open, skip, skipGiven } from "./opened.mjs";

/** A canvas's pixels, once drawn. */
async function pixels(page, index) {
  await page.waitForTimeout(150);
  return page.locator(".map canvas").nth(index).evaluate((canvas) => canvas.toDataURL());
}

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

test("the slider changes the maps and its own text", { skip }, async () => {
  const { page, wrong } = await open();
  const slider = page.getByRole("slider");
  const last = await pixels(page, 1);
  const text = await slider.getAttribute("aria-valuetext");
  await slider.focus();
  await page.keyboard.press("Home");
  assert.notEqual(await pixels(page, 1), last);
  assert.notEqual(await slider.getAttribute("aria-valuetext"), text);
  await page.keyboard.press("End");
  assert.equal(await pixels(page, 1), last);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("arrow keys move through training from anywhere on the page", { skip }, async () => {
  const { page } = await open();
  const slider = page.getByRole("slider");
  const last = Number(await slider.inputValue());
  await page.keyboard.press("ArrowLeft");
  assert.equal(Number(await slider.inputValue()), last - 1);
  await page.keyboard.press("ArrowRight");
  assert.equal(Number(await slider.inputValue()), last);
  await page.close();
});

test("play runs through the checkpoints and stops at the end", { skip }, async () => {
  const { page } = await open();
  const slider = page.getByRole("slider");
  const last = await slider.inputValue();
  await page.getByRole("button", { name: "Play" }).click();
  assert.equal(await slider.inputValue(), "0");
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

test("a map tells the weight under the pointer and under the keys", { skip }, async () => {
  const { page } = await open();
  const canvas = page.locator(".map canvas").nth(1);
  const box = await canvas.boundingBox();
  await canvas.hover({ position: { x: box.width * 0.3, y: box.height * 0.7 } });
  assert.match(await page.locator(".tip").innerText(), /query \d+ token \d+\s+source \d+ token \d+/);
  assert.match(await page.locator(".weight").nth(1).innerText(), /weight [01]\.\d+/);
  await page.mouse.move(0, 0);
  await canvas.focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator(".tip").isVisible(), true);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".tip").isVisible(), false);
  await page.close();
});

test("marking the correct sources draws on the maps", { skip }, async () => {
  const { page } = await open();
  const before = await pixels(page, 1);
  await page.getByLabel("mark the correct sources").check();
  assert.notEqual(await pixels(page, 1), before);
  await page.close();
});

test("names are text, whatever they hold", { skip: skipGiven }, async () => {
  const { page } = await open();
  assert.equal(await page.title(), "fixture");
  assert.ok((await page.locator("h1").innerText()).includes(hostileName));
  assert.equal(await page.locator("main img").count(), 0);
  await page.close();
});

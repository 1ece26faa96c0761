// What the slider moves, and the attention of two runs with one cursor.
import assert from "node:assert/strict";
import { test } from "node:test";
import { study } from "./fixture.mjs";
import { drawn, open, openStudy, skip, skipGiven } from "./opened.mjs";

/** What each panel shows: the pixels of canvases, the drawing of charts. */
async function panels(page) {
  await page.waitForTimeout(250);
  return page.evaluate(() => {
    const shown = {};
    const add = (name, places, read) =>
      [...document.querySelectorAll(places)].forEach((one, at) => (shown[`${name} ${at}`] = read(one)));
    add("map", ".map canvas", (one) => one.toDataURL());
    add("thumbnail", ".thumb canvas", (one) => one.toDataURL());
    add("tokens", ".reader", (one) => one.innerHTML);
    add("circuit", ".card-matrix", (one) => one.toDataURL());
    add("eigenvalues", ".card-plane", (one) => one.toDataURL());
    // A view may draw the ticks of an axis in any order.
    const drawing = (one) =>
      [...one.querySelectorAll("path, line, text")].map((shape) => {
        const kept = ["d", "x2", "y2", "opacity", "transform"].map((name) => shape.getAttribute(name));
        return [...kept, shape.children.length === 0 ? shape.textContent : ""].join();
      }).sort().join("\n");
    add("curve", ".curves .chart svg", drawing);
    add("chart", ".through .chart svg", drawing);
    return shown;
  });
}

const changedPanels = (before, after) => Object.keys(before).filter((name) => before[name] !== after[name]);

test("the slider moves every panel, and back again", { skip: skipGiven }, async () => {
  const changed = structuredClone(study);
  // Curves that show their cursor, and heads that all change.
  for (const figure of changed.figures) {
    for (const { spec } of figure.variants) spec.encoding.opacity = { value: { expr: spec.params?.[0]?.name === "cursor" ? "cursor > 0 ? 1 : 0.5" : "1" } };
  }
  changed.figures[2].variants[0].spec.encoding.y = { field: "z", type: "quantitative" };
  for (const run of changed.attention) for (const point of run.checkpoints) point.heads = point.heads.slice(1);
  const { page, unhandled } = await openStudy(changed);
  await drawn(page);
  const last = await panels(page);
  const kinds = new Set(Object.keys(last).map((name) => name.replace(/ \d+$/, "")));
  assert.deepEqual([...kinds], ["map", "thumbnail", "tokens", "circuit", "eigenvalues", "curve", "chart"]);
  await page.getByRole("slider").focus();
  await page.keyboard.press("Home");
  const first = await panels(page);
  assert.deepEqual(changedPanels(last, first), Object.keys(last));
  await page.keyboard.press("End");
  assert.deepEqual(changedPanels(last, await panels(page)), []);
  assert.deepEqual(unhandled, []);
  await page.close();
});

test("the slider stands on a log scale of tokens and says them", { skip: skipGiven }, async () => {
  const { page } = await open();
  const slider = page.getByRole("slider");
  assert.match(await slider.getAttribute("aria-valuetext"), /^100,000 tokens, checkpoint 3 of 3$/);
  await slider.press("ArrowLeft");
  assert.match(await page.locator(".now").innerText(), /1\.00k tokens/);
  await slider.press("ArrowLeft");
  assert.match(await slider.getAttribute("aria-valuetext"), /^before training/);
  const box = await slider.boundingBox();
  await page.mouse.click(box.x + box.width * 0.12, box.y + 12);
  assert.match(await page.locator(".now").innerText(), /1\.00k tokens/);
  await page.close();
});

test("the slider stays in sight over the panels it moves", { skip }, async () => {
  const { page } = await open();
  await page.locator("#attention figcaption").scrollIntoViewIfNeeded();
  const box = await page.locator(".timeline").boundingBox();
  assert.ok(box.y >= 0 && box.y < 20, `at ${box.y}`);
  await page.close();
});

test("play shows every checkpoint once, in order", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  await page.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => window.seen.push(document.querySelector(".now b").textContent)).observe(
      document.querySelector(".now"), { childList: true });
  });
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByRole("button", { name: "Play" }).waitFor({ timeout: 30_000 });
  assert.deepEqual(await page.evaluate(() => window.seen), ["0", "1.00k", "100k"]);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("the cursor of one map is that of the other, and says both weights", { skip: skipGiven }, async () => {
  const { page } = await open();
  const before = await panels(page);
  const canvas = page.locator(".map canvas").nth(0);
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await canvas.hover({ position: { x: box.width * 0.3, y: box.height * 0.7 } });
  const tip = await page.locator(".tip").innerText();
  assert.match(tip, /query \d+ token \d+\s+source \d+ token \d+/);
  assert.equal(tip.match(/weight [01]\.\d+/g).length, 2);
  const changed = changedPanels(before, await panels(page));
  assert.ok(changed.includes("map 0") && changed.includes("map 1"), changed.join());
  const query = Number(tip.match(/query (\d+)/)[1]);
  for (const title of await page.locator(".reader-title").allInnerTexts()) assert.ok(title.includes(`query ${query} `), title);
  await page.close();
});

test("arrow keys walk the cursor, and Escape ends it", { skip: skipGiven }, async () => {
  const { page } = await open();
  const canvas = page.locator(".map canvas").nth(1);
  await canvas.focus();
  await page.keyboard.press("ArrowUp");
  const query = Number((await page.locator(".tip").innerText()).match(/query (\d+)/)[1]);
  await page.keyboard.press("Shift+ArrowUp");
  assert.match(await page.locator(".tip").innerText(), new RegExp(`query ${query - 8} `));
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".tip").isVisible(), false);
  await page.close();
});

test("the tokens show where an induction head looks", { skip: skipGiven }, async () => {
  const { page } = await open();
  const title = await page.locator(".reader-title").first().innerText();
  assert.match(title, /layer 0, head 1: query 27 \(token 3\) looks most at 20 \(token 4\), weight 0\.9\d, a correct source/);
  const rows = await page.locator(".token-grid").first().evaluate((grid) =>
    new Set([...grid.children].map((one) => one.offsetTop)).size);
  assert.equal(rows, 4);
  await page.close();
});

test("either side shows the arm and the head that are chosen, by keyboard too", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const pane = page.locator(".pane");
  assert.equal(await pane.count(), 2);
  await page.getByLabel("Arm on the left").selectOption("1");
  assert.match(await page.locator(".map canvas").nth(0).getAttribute("aria-label"), /layer 0, head 1 in alone/);
  const heads = pane.nth(1).getByRole("radio");
  await heads.nth(0).click();
  assert.match(await page.locator(".map canvas").nth(1).getAttribute("aria-label"), /layer 0, head 0 in alone/);
  await page.keyboard.press("ArrowRight");
  assert.equal(await heads.nth(1).getAttribute("aria-checked"), "true");
  assert.match(await page.locator(".map canvas").nth(1).getAttribute("aria-label"), /layer 0, head 1/);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-checked")), "true");
  assert.deepEqual(wrong, []);
  await page.close();
});

test("circuits are those of the chosen arm", { skip: skipGiven }, async () => {
  const { page } = await open();
  const before = await panels(page);
  await page.locator(".frames-bar label").filter({ hasText: "alone" }).click();
  const changed = changedPanels(before, await panels(page));
  assert.ok(changed.includes("circuit 0") && changed.includes("eigenvalues 0"), changed.join());
  await page.close();
});

test("marking the correct sources draws on the maps", { skip }, async () => {
  const { page } = await open();
  const before = await panels(page);
  await page.getByLabel("mark the correct sources").click();
  const changed = changedPanels(before, await panels(page));
  assert.deepEqual(changed, ["map 0", "map 1"]);
  await page.close();
});

test("a map that cannot be read says so in its place, and the others are drawn", { skip: skipGiven }, async () => {
  const changed = structuredClone(study);
  for (const point of changed.attention[0].checkpoints) point.heads[1].map = "no base64!";
  changed.frames[0].checkpoints[2].circuits[1].map = "eJwDAAAAAAE=";
  const { page, unhandled } = await openStudy(changed);
  await page.locator(".pane .failure").waitFor();
  assert.equal(await page.locator(".pane").nth(1).locator(".failure").count(), 0);
  assert.match(await page.locator(".card .failure").innerText(), /This cannot be drawn: /);
  await page.locator(".pane").nth(0).getByRole("radio").nth(0).click();
  await page.waitForTimeout(150);
  assert.equal(await page.locator(".pane .failure").count(), 0);
  assert.deepEqual(unhandled, []);
  await page.close();
});

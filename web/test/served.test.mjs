// The page of a study that trains: it fills, follows, keeps what the reader chose, and finds back.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { study } from "./fixture.mjs";
import { LiveServer } from "./live_server.mjs";
import { madeUpProgress } from "./made_up.mjs";
import { browser, complaints, drawn, skip as noBrowser, template } from "./opened.mjs";

const skip = noBrowser;
const of = 100_000;
const servers = [];
after(() => Promise.all(servers.map((server) => server.stop().catch(() => {}))));

/** The study after `count` of its checkpoints, its second run still waiting. */
function early(count) {
  const state = structuredClone(study);
  const tokens = study.checkpoints[count - 1];
  state.checkpoints = study.checkpoints.slice(0, count);
  for (const run of [...state.attention, ...state.frames]) run.checkpoints = run.checkpoints.slice(0, count);
  for (const { runs } of state.arms) {
    runs.length = 1;
    runs[0].summary = { seed: 0, status: "training", induction_score: 0.1 * count };
  }
  for (const figure of state.figures) {
    for (const { spec } of figure.variants) {
      if (figure.id === "head-scores") spec.data.values = spec.data.values.filter((row) => row.checkpoint < count);
      else spec.data = { name: "points", values: spec.data.values.slice(0, Math.max(1, count - 1)) };
    }
  }
  state.ledger = null;
  state.lens = [];
  state.progress = madeUpProgress([[0, 0, tokens], [1, 0, 0]], of);
  return state;
}

async function serve(first) {
  const server = new LiveServer(template);
  servers.push(server);
  await server.start();
  if (first) server.set(first);
  return server;
}

async function visit(server, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
  page.setDefaultTimeout(20_000);
  const wrong = complaints(page, /^(http:\/\/127\.0\.0\.1|data|blob)/);
  await page.goto(server.url);
  return { page, wrong };
}

const badge = (page, text) => page.locator(".status-badge", { hasText: text }).waitFor();

test("a page without a study waits, and fills when it is there", { skip }, async () => {
  const server = await serve(null);
  const { page, wrong } = await visit(server);
  await page.getByRole("heading", { name: "Waiting for the study to begin" }).waitFor();
  await badge(page, "live");
  server.set(early(2));
  await page.getByRole("heading", { name: "look back?" }).waitFor();
  await drawn(page);
  await badge(page, "live");
  assert.deepEqual(wrong, []);
  await page.close();
});

test("progress is told: bars, rate, time left, what waits", { skip }, async () => {
  const { page } = await visit(await serve(early(2)));
  const runs = page.locator(".progress li");
  await runs.first().waitFor();
  assert.match(await runs.nth(0).innerText(), /seed 0\s+1\.00k of 100k\s+231,000 tokens\/s, 1 s left/);
  assert.match(await runs.nth(1).innerText(), /alone, seed 0\s+0 of 100k\s+waiting/);
  assert.match(await page.locator(".whole").innerText(), /1\.00k of 200k tokens, 0 of 2 runs ended/);
  assert.equal(await page.getByRole("progressbar", { name: "alone, seed 0" }).getAttribute("aria-valuenow"), "0");
  await page.close();
});

test("a run goes on in the page, chart by chart, and nothing is built anew", { skip }, async () => {
  const server = await serve(early(2));
  const { page, wrong } = await visit(server);
  await drawn(page);
  const points = () => page.locator("#induction-score path[aria-roledescription='line mark']").first().getAttribute("d");
  await page.evaluate(() => {
    for (const one of document.querySelectorAll("#induction-score, .timeline, .pane, #induction-score svg")) one.kept = true;
    // A chart that is empty for a moment flickers.
    window.empty = 0;
    new MutationObserver(() => {
      for (const chart of document.querySelectorAll(".chart")) if (!chart.querySelector("svg.marks")) ++window.empty;
    }).observe(document.querySelector("main"), { childList: true, subtree: true });
  });
  const before = await points();
  server.set(early(3));
  await page.waitForFunction(() => document.querySelector(".timeline").dataset.checkpoint === "2");
  await page.waitForFunction((old) =>
    document.querySelector("#induction-score path[aria-roledescription='line mark']").getAttribute("d") !== old, before);
  const kept = await page.evaluate(() =>
    ["#induction-score", ".timeline", ".pane", "#induction-score svg"].map((one) => document.querySelector(one).kept));
  assert.deepEqual(kept, [true, true, true, true]);
  assert.equal(await page.evaluate(() => window.empty), 0);
  assert.match(await page.locator(".progress li").nth(0).innerText(), /finished/);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("what the reader chose stays: checkpoint, arms, heads, variants, open claims, scroll, focus", { skip }, async () => {
  const first = { ...structuredClone(study), progress: madeUpProgress([[0, 0, of], [1, 0, 1000]], of) };
  const server = await serve(first);
  const { page, wrong } = await visit(server);
  await drawn(page);
  await page.locator(".claim > summary").nth(2).click();
  await page.locator("#second-half-loss .choice label").nth(1).click();
  await page.getByLabel("Arm on the left").selectOption("1");
  await page.locator(".pane").nth(0).getByRole("radio").nth(0).click();
  await page.locator(".frames-bar label").filter({ hasText: "alone" }).click();
  await page.locator(".lens-bar label").filter({ hasText: "alone" }).click();
  await page.getByRole("slider").press("ArrowLeft");
  await page.locator(".claim > summary").nth(3).focus();
  const scroll = await page.evaluate(() => (window.scrollTo(0, 700), window.scrollY));

  const next = structuredClone(first);
  next.ledger.claims[0].figure = "something new";
  next.arms[0].runs[0].summary.induction_score = 0.9;
  next.progress = madeUpProgress([[0, 0, of], [1, 0, 2000]], of);
  next.notes = ["another note"];
  for (const figure of next.figures) figure.caption += " More.";
  for (const run of next.attention) run.checkpoints[2].heads[0].induction = 0.123;
  for (const run of next.frames) run.checkpoints[2].circuits[0].score = 0.5;
  next.lens[0].mechanism.reason = "another reason";
  server.set(next);
  await page.locator(".claim-figure", { hasText: "something new" }).waitFor();
  await page.locator(".notes", { hasText: "another note" }).waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.locator(".claim").nth(2).evaluate((one) => one.open), true);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), "claim-summary-claim-4");
  assert.equal(await page.locator("#second-half-loss .choice input").nth(1).isChecked(), true);
  assert.equal(await page.getByLabel("Arm on the left").inputValue(), "1");
  assert.equal(await page.locator(".pane").nth(0).getByRole("radio").nth(0).getAttribute("aria-checked"), "true");
  assert.equal(await page.locator(".frames-bar input").nth(1).isChecked(), true);
  assert.match(await page.locator(".lens-run").innerText(), /^alone/);
  assert.equal(await page.locator(".timeline").getAttribute("data-checkpoint"), "1");
  assert.equal(await page.evaluate(() => window.scrollY), scroll);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("only parts that changed are fetched again", { skip }, async () => {
  const server = await serve(early(2));
  const { page } = await visit(server);
  await drawn(page);
  assert.deepEqual(server.fetched, { study: 1, attention: 1, lens: 1, frames: 1 });
  const next = early(2);
  next.notes = ["a newer note"];
  server.set(next);
  await page.locator(".notes", { hasText: "a newer note" }).waitFor();
  assert.deepEqual(server.fetched, { study: 2, attention: 1, lens: 1, frames: 1 });
  await page.close();
});

test("a fetch that fails is tried again", { skip }, async () => {
  const server = await serve(early(2));
  server.refused = { study: 2, attention: 1 };
  const { page } = await visit(server);
  await drawn(page);
  await page.locator(".pane").first().waitFor();
  assert.ok(server.fetched.study >= 3 && server.fetched.attention >= 2, JSON.stringify(server.fetched));
  await page.close();
});

test("a connection that is lost is said, and found again without the reader", { skip }, async () => {
  const server = await serve(early(2));
  const { page } = await visit(server);
  await drawn(page);
  await badge(page, "live");
  await server.stop();
  await badge(page, "connection lost, trying again");
  assert.equal(await page.locator(".timeline").isVisible(), true);
  await server.start();
  server.set(early(3));
  await badge(page, "live");
  await page.waitForFunction(() => document.querySelector(".timeline").dataset.checkpoint === "2");
  await page.close();
});

test("another server at the same address is noticed by its versions, higher or lower", { skip }, async () => {
  const server = await serve(null);
  server.forget(1_800_000_000_000);
  server.set(early(1));
  const { page } = await visit(server);
  for (const [lastVersion, count] of [[1_800_000_100_000, 2], [7, 3]]) {
    await drawn(page);
    await badge(page, "live");
    await server.stop();
    server.forget(lastVersion);
    server.set(early(count));
    await server.start();
    await page.waitForFunction((last) => document.querySelector(".timeline").dataset.checkpoint === last, String(count - 1));
  }
  await page.close();
});

test("a study that has ended says so, with its verdicts", { skip }, async () => {
  const server = await serve(early(3));
  const { page, wrong } = await visit(server);
  await drawn(page);
  assert.equal(await page.locator(".ledger").isVisible(), false);
  server.set({ ...study, progress: null });
  await badge(page, "finished");
  await page.locator(".claim").first().waitFor();
  await page.locator(".lens .mechanism").waitFor();
  assert.equal(await page.locator(".progress").isVisible(), false);
  assert.deepEqual(wrong, []);
  await page.close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`a live page fits a phone: ${colorScheme}`, { skip }, async () => {
    const { page, wrong } = await visit(await serve(early(2)), { colorScheme, viewport: { width: 390, height: 844 } });
    await drawn(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(wrong, []);
    await page.close();
  });
}

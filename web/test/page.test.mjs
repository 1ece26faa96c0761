// Opens the built page in a browser, as a reader does: from a file. Set LOOKBACK_REPORT to the path
// of a report.html to test that one in place of the fixture, and CHROMIUM to name the browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { filledPage, hostileName } from "./fixture.mjs";

const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
const skip = browserPath ? false : "no chromium found: install it or set CHROMIUM to its path";
const given = process.env.LOOKBACK_REPORT;

let browser;
let directory;
let url;

before(async () => {
  if (skip) return;
  directory = await mkdtemp(join(tmpdir(), "lookback-page-"));
  let report = given;
  if (!report) {
    const template = join(directory, "page.html");
    const build = fileURLToPath(new URL("../build.mjs", import.meta.url));
    execFileSync(process.execPath, [build, "--outfile", template]);
    report = join(directory, "report.html");
    await writeFile(report, await filledPage(template));
  }
  url = pathToFileURL(report).href;
  browser = await chromium.launch({
    executablePath: browserPath,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-quic"],
  });
});

after(async () => {
  await browser?.close();
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** The page, once its charts and maps are drawn, with everything that went wrong so far. */
async function open(options = {}) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
  page.setDefaultTimeout(10_000);
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) wrong.push(`fetched ${request.url()}`);
  });
  await page.goto(url);
  await page.waitForFunction(
    (count) => document.querySelectorAll(".chart svg.marks").length === count,
    await page.locator(".chart").count(),
  );
  return { page, wrong };
}

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

const skipGiven = skip || (given ? "not the fixture" : false);
test("names are text, whatever they hold", { skip: skipGiven }, async () => {
  const { page } = await open();
  assert.equal(await page.title(), "fixture");
  assert.ok((await page.locator("h1").innerText()).includes(hostileName));
  assert.equal(await page.locator("main img").count(), 0);
  await page.close();
});

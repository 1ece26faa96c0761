// The page of a study as the program serves it while it trains.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { browser, complaints, drawn, ownDirectory } from "./opened.mjs";
import { addressOf, skip, smallStudy, start } from "./program.mjs";

const patience = 180_000;

const doneTokens = (page) =>
  page.evaluate(() => {
    const bar = document.querySelector(".whole [role=progressbar]");
    return bar ? parseFloat(bar.firstElementChild.style.width) : 0;
  });

const badge = (page, text) => page.locator(".status-badge", { hasText: text }).waitFor({ timeout: patience });

test("a run appears, is killed and resumed, and goes on in the page to its end", { skip, timeout: 2 * patience }, async () => {
  const directory = await ownDirectory();
  const file = join(directory, "small.toml");
  const out = join(directory, "study");
  await writeFile(file, smallStudy("3M"));
  await mkdir(out);
  const server = start("serve", out, "--port", "0");
  const url = await addressOf(server);
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(patience);
  const wrong = complaints(page, /^(http:\/\/127\.0\.0\.1|data|blob)/);
  await page.goto(url);
  await page.getByRole("heading", { name: "Waiting for the study to begin" }).waitFor();

  const study = start("study", file, "--out", out, "--threads", "2");
  await page.getByRole("heading", { name: "Does it go on?" }).waitFor();
  await page.locator(".run.training").waitFor();
  await drawn(page);
  await page.waitForFunction(() => {
    const bar = document.querySelector(".run.training [role=progressbar]");
    return bar && parseFloat(bar.firstElementChild.style.width) > 5;
  });
  study.kill("SIGKILL");
  assert.equal((await study.ended).signal, "SIGKILL");
  await page.waitForTimeout(1500);
  const before = await doneTokens(page);
  const checkpoint = Number(await page.locator(".timeline").getAttribute("data-checkpoint"));
  assert.ok(before > 0 && before < 100, `${before}%`);

  const again = start("study", file, "--out", out, "--threads", "2", "--resume");
  await page.waitForFunction((old) => {
    const bar = document.querySelector(".whole [role=progressbar]");
    const hidden = document.querySelector(".progress").hidden;
    return hidden || parseFloat(bar.firstElementChild.style.width) > old + 2;
  }, before);
  assert.deepEqual(await again.ended, { code: 0, signal: null }, again.said);
  await badge(page, "finished");
  await page.locator(".lens .mechanism").waitFor();
  await drawn(page);
  assert.equal(await page.locator(".progress").isVisible(), false);
  assert.ok(Number(await page.locator(".timeline").getAttribute("data-checkpoint")) > checkpoint);
  assert.equal(await page.locator(".outcome tbody tr").count(), 2);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1400);
  assert.deepEqual(wrong, []);

  server.kill("SIGTERM");
  await badge(page, "connection lost, trying again");
  await page.close();
});

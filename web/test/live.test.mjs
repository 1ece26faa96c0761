// The page of a study as the program serves it while it trains. LOOKBACK_PROGRAM is the path of the
// program as it was built; without it this is left out.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { browser, complaints, drawn, ownDirectory, skip as noBrowser } from "./opened.mjs";

const program = process.env.LOOKBACK_PROGRAM;
const skip = noBrowser || (program ? false : "LOOKBACK_PROGRAM is not set");
const patience = 180_000;
const started = [];
after(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
});

/** Two small arms that train for some seconds each. */
const small = `name = "small"
question = "Does it go on?"
seeds = 1
[model]
vocabulary = 32
context = 64
d_model = 32
d_head = 16
[data]
period = [4, 16]
[evaluate]
sequences = 8
probes = ["repeated-blocks"]
[train]
tokens = "3M"
batch = 16
shards = 4
resume_seconds = 0
[[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm]]
name = "sequential"
[arm.model]
steps = 2
`;

function start(...words) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  child.said = "";
  child.printed = "";
  child.stdout.on("data", (text) => (child.printed += text));
  child.stderr.on("data", (text) => (child.said += text));
  child.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));
  return child;
}

/** The address that a server prints once it listens. */
async function addressOf(server) {
  for (let tries = 0; tries < 600; ++tries) {
    const found = server.printed.match(/http:\/\/\S+/);
    if (found) return found[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no address: ${server.printed} ${server.said}`);
}

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
  await writeFile(file, small);
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

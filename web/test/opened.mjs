// The built page, opened in a browser as a reader opens it: from a file. Set LOOKBACK_REPORT to the
// path of a report.html to test that one in place of the fixture.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { browserPath, missing } from "./browser.mjs";
import { filledPage, study } from "./fixture.mjs";

const given = process.env.LOOKBACK_REPORT;
/** Why tests of any page, and those of the fixture alone, are left out; or false. */
export const skip = browserPath ? false : missing;
export const skipGiven = skip || (given ? "not the fixture" : false);

export let browser;
export let template;
let directory;
let url;

before(async () => {
  if (skip) return;
  directory = await mkdtemp(join(tmpdir(), "lookback-page-"));
  template = join(directory, "page.html");
  const build = fileURLToPath(new URL("../build.mjs", import.meta.url));
  execFileSync(process.execPath, [build, "--outfile", template]);
  let report = given;
  if (!report) {
    report = join(directory, "report.html");
    await writeFile(report, await filledPage(template, study));
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

/** How pages are looked at: on a wide screen and on a phone, light and dark. */
export const views = [1400, 390].flatMap((width) =>
  ["light", "dark"].map((colorScheme) => ({ colorScheme, viewport: { width, height: 900 } })));

export const nameOf = ({ colorScheme, viewport }) => `${viewport.width} px, ${colorScheme}`;

/** Waits until every chart that the page has a place for is drawn. */
export async function drawn(page) {
  await page.waitForFunction(() => {
    const charts = document.querySelectorAll(".chart");
    return charts.length > 0 && [...charts].every((chart) => chart.querySelector("svg.marks"));
  });
}

/** A place for a test's files, gone when all tests are done. */
export async function ownDirectory() {
  return mkdtemp(join(directory, "test-"));
}

/** Everything that a page complains about or fetches from elsewhere than `allowed`. */
export function complaints(page, allowed = /^(file|data|blob):/) {
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => {
    if (!allowed.test(request.url())) wrong.push(`fetched ${request.url()}`);
  });
  return wrong;
}

/** The page, once its charts and maps are drawn, with everything that went wrong so far. */
export async function open(options = {}) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
  page.setDefaultTimeout(20_000);
  const wrong = complaints(page);
  await page.goto(url);
  await drawn(page);
  return { page, wrong };
}

/** A page of another study than the fixture, perhaps not all of it drawn, with what nobody caught. */
export async function openStudy(changed) {
  const file = join(directory, "changed.html");
  await writeFile(file, await filledPage(template, changed));
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(20_000);
  const unhandled = [];
  page.on("pageerror", (error) => unhandled.push(error.message));
  await page.goto(pathToFileURL(file).href);
  return { page, unhandled };
}

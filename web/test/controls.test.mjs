// Every control of the page, clicked at its centre: those of a study's page, its lens among them, and
// those of a page that is served while runs train.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { study } from "./fixture.mjs";
import { LiveServer } from "./live_server.mjs";
import { madeUpProgress } from "./made_up.mjs";
import { browser, complaints, drawn, nameOf, open, openStudy, skip, skipGiven, template, views } from "./opened.mjs";
import { clickEverything } from "./walk.mjs";

const servers = [];
after(() => Promise.all(servers.map((server) => server.stop().catch(() => {}))));

/** Kinds of controls that a page has which has verdicts, maps and circuits. */
const kinds = ["button", "checkbox", "img", "radio", "range", "select", "summary"];

for (const view of views) {
  test(`every control is hit at its centre and does something: ${nameOf(view)}`, { skip }, async () => {
    const { page, wrong } = await open(view);
    const clicked = await clickEverything(page);
    for (const kind of kinds) assert.ok(clicked[kind] > 0, `${kind} among ${JSON.stringify(clicked)}`);
    assert.deepEqual(wrong, []);
    await page.close();
  });

  test(`so is every control of a page that is served while runs train: ${nameOf(view)}`, { skip: skipGiven }, async () => {
    const server = new LiveServer(template);
    servers.push(server);
    await server.start();
    // All but what the same page has once its runs have ended.
    const [loss, , position] = study.figures;
    const progress = madeUpProgress([[0, 0, 70_000], [0, 1, 0], [1, 0, 1000]], 100_000);
    server.set({ ...study, figures: [loss, position], ledger: null, frames: [], lens: [], progress });
    const page = await browser.newPage(view);
    page.setDefaultTimeout(20_000);
    const wrong = complaints(page, /^(http:\/\/127\.0\.0\.1|data|blob)/);
    await page.goto(server.url);
    await page.locator(".progress").waitFor();
    await drawn(page);
    const runs = page.locator(".progress details");
    const wasOpen = await runs.evaluate((one) => one.open);
    await clickEverything(page);
    assert.equal(await runs.evaluate((one) => one.open), !wasOpen);
    assert.deepEqual(wrong, []);
    await page.close();
  });
}

test("a control that something covers is found", { skip: skipGiven }, async () => {
  const { page } = await openStudy(study);
  await drawn(page);
  await page.addStyleTag({ content: ".caption-more { position: relative; z-index: -1 }" });
  await assert.rejects(clickEverything(page), /button at .* is covered by/);
  await page.close();
});

test("a control that does nothing is found", { skip: skipGiven }, async () => {
  const { page } = await openStudy(study);
  await drawn(page);
  await page.evaluate(() => document.querySelector("h1").append(document.createElement("button")));
  await page.addStyleTag({ content: "h1 button { width: 20px; height: 20px }" });
  await assert.rejects(clickEverything(page), /button at .* does nothing/);
  await page.close();
});

test("a control that does not look like one is found", { skip: skipGiven }, async () => {
  const { page } = await openStudy(study);
  await drawn(page);
  await page.evaluate(() => document.querySelector("h1").addEventListener("click", () => {}));
  await assert.rejects(clickEverything(page), /<h1/);
  await page.close();
});

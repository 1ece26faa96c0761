// The verdicts: a row a claim, and what stands behind it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { study } from "./fixture.mjs";
import { madeUpLedger } from "./made_up.mjs";
import { open, openStudy, skipGiven } from "./opened.mjs";

test("the list says how many of each verdict, and each claim with its figure", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const tally = await page.locator(".tally li").allInnerTexts();
  assert.deepEqual(tally.map((text) => text.replace(/\s+/g, " ").trim()),
    ["5 supported", "1 contradicted", "1 not decided", "1 not tested", "1 stated late"]);
  const rows = page.locator(".claim > summary");
  assert.equal(await rows.count(), 8);
  const row = await rows.nth(4).innerText();
  for (const part of ["5", "The two-layer model ends sharper", "supported", "difference 0.170 [0.122, 0.218]"]) {
    assert.ok(row.includes(part), `${part} in ${row}`);
  }
  assert.deepEqual(wrong, []);
  await page.close();
});

test("verdicts differ in shape, not in color alone", { skip: skipGiven }, async () => {
  const { page } = await open();
  const shapes = await page.locator(".tally .mark svg").evaluateAll((marks) =>
    marks.map((mark) => mark.innerHTML.replace(/class="[^"]*"/g, "")));
  assert.equal(new Set(shapes).size, 4);
  await page.close();
});

test("a claim opens, by the keyboard too, to words, tests, seeds, interval, reason and runs", { skip: skipGiven }, async () => {
  const { page } = await open();
  const claim = page.locator(".claim").first();
  await claim.locator("> summary").focus();
  await page.keyboard.press("Enter");
  const text = await claim.locator(".claim-body").innerText();
  for (const part of ["The two layer model develops induction heads", "a score of 0.99", "is above that of one-layer-parallel",
    "mean difference 0.170 \u00b1 0.039 between seeds", "95% interval [0.122, 0.218]", "holds in 5 of 5 seeds", "decided by the mean",
    "the 95% interval over 5 seeds lies above the bound", "Rests on one-layer-parallel/seed-0"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  const rows = await claim.locator(".test").first().locator("tbody tr").allInnerTexts();
  assert.equal(rows.length, 5);
  assert.match(rows[0], /^0\s+0\.910\s+0\.700\s+\+0\.210\s+yes$/);
  assert.equal(await claim.locator(".strip circle").count(), 10);
  await page.keyboard.press("Enter");
  assert.equal(await claim.locator(".claim-body").isVisible(), false);
  await page.close();
});

test("a test shows what its values are held against: numbers, ratios, words", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const claim = page.locator(".claim").nth(1);
  await claim.locator("> summary").click();
  const tests = claim.locator(".test");
  assert.deepEqual(await tests.nth(0).locator(".strip-label").allTextContents(), ["5M", "20M"]);
  assert.match(await tests.nth(0).innerText(), /mean value 684k; 95% interval \[161k, 2\.90M\]; holds in 0 of 2 seeds/);
  assert.match(await tests.nth(1).locator("tbody tr").first().innerText(), /^0\s+557k\s+766k\s+\u00d7 0\.727\s+yes$/);
  assert.match(await tests.nth(1).innerText(), /mean ratio \u00d7 0\.783; 95% interval \[\u00d7 0\.308, \u00d7 1\.99\]/);
  assert.deepEqual(await tests.nth(1).locator(".strip-label").allTextContents(), ["\u00d7 1"]);
  assert.match(await tests.nth(2).locator("tbody").innerText(), /0\s+k-composition\s+yes\s+1\s+\u2013\s+\u2013/);
  assert.equal(await tests.nth(2).locator(".strip").count(), 0);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("a pair shows its ratio to the other arm, and its bound where the claim puts it", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const claim = page.locator(".claim").nth(2);
  assert.match(await claim.locator(".claim-figure").textContent(), /^\u00d7 0\.999 \[.*\]; \u00d7 0\.999 /);
  await claim.locator("> summary").click();
  const [times, within, multiple, means] = await claim.locator(".test").all();
  const heads = (one) => one.locator("thead th").allTextContents();
  assert.deepEqual(await heads(times), ["seed", "wd-1", "wd-0", "ratio", "holds"]);
  assert.match(await times.locator("tbody tr").first().innerText(), /^0\s+9\.980\s+10\.000\s+\u00d7 0\.998\s+yes$/);
  assert.deepEqual(await times.locator(".strip-label").allTextContents(), ["\u00d7 1.1"]);
  assert.match(await times.locator(".spread").innerText(), /^geometric mean ratio \u00d7 0\.999; 95% interval \[\u00d7 0\.997, \u00d7 1\.00\]/);
  assert.deepEqual(await heads(within), ["seed", "wd-1", "wd-0", "ratio", "holds"]);
  assert.deepEqual(await within.locator(".strip-label").allTextContents(), ["\u00d7 0.9", "\u00d7 1.1"]);
  // A difference from a multiple is none from the arm itself: it names the multiple, the column does not.
  assert.deepEqual(await heads(multiple), ["seed", "wide, nats", "narrow", "difference from 3 \u00d7 narrow", "holds"]);
  assert.match(await multiple.locator("tbody tr").first().innerText(), /^0\s+1\.700\s+0\.100\s+\+1\.400\s+yes$/);
  assert.match(await multiple.locator(".spread").innerText(), /^mean difference from 3 \u00d7 narrow: 1\.700 \u00b1 0\.436/);
  assert.deepEqual(await multiple.locator(".strip-label").allTextContents(), ["0"]);
  // Of losses, too, a multiple is a matter of the ratio, on a line that is not logarithmic.
  assert.deepEqual(await heads(means), ["seed", "wide, nats", "narrow", "ratio", "holds"]);
  assert.match(await means.locator(".spread").innerText(), /^ratio of means \u00d7 3\.00; 95% interval \[\u00d7 2\.68, \u00d7 3\.3\d\]/);
  assert.deepEqual(await means.locator(".strip-label").allTextContents(), ["\u00d7 2"]);
  assert.doesNotMatch(await page.locator(".ledger").innerText(), /(^|[\s;[])x \d/); // one sign, everywhere
  assert.deepEqual(wrong, []);
  await page.close();
});

test("a claim that was stated after runs had ended says so in its row, and it alone", { skip: skipGiven }, async () => {
  const ledger = madeUpLedger("fixture");
  ledger.claims[0].stated = { runs_ended: null, of: 9, after: "a trial was seen", mark: "stated after a trial was seen" };
  const { page } = await openStudy({ ...study, ledger });
  const rows = page.locator(".claim > summary");
  const texts = (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
  assert.match(texts[3], /supported, stated after 4 of 9 runs/);
  assert.match(texts[0], /supported, stated late/);
  assert.equal(texts.filter((text) => text.includes("stated")).length, 2);
  await rows.nth(0).click();
  assert.match(await page.locator(".claim-body").nth(0).innerText(), /^This claim was stated after a trial was seen/);
  assert.equal(await page.locator(".tally .late").innerText(), "2 stated late");
  await page.close();
});

/** Where a drawing's marks lie across its strip, from 0 to 1, each with its classes. */
const marksOf = (strip) =>
  strip.evaluate((element) => {
    const { left, width } = element.getBoundingClientRect();
    return [...element.querySelectorAll(".strip-dot")].map((mark) => {
      const box = mark.getBoundingClientRect();
      return [((box.left + box.right) / 2 - left) / width, mark.getAttribute("class")];
    });
  });

test("a run that never came to it says so, and is marked at the end of the strip", { skip: skipGiven }, async () => {
  const { page, wrong } = await open();
  const claim = page.locator(".claim").nth(1);
  await claim.locator("> summary").click();
  const alone = claim.locator(".test").nth(3);
  assert.match(await alone.locator("tbody").innerText(), /^0\s+never\s+yes\s+1\s+7\.34M\s+yes\s+2\s+4\.19M\s+no$/);
  const [late, later, early] = await marksOf(alone.locator(".strip"));
  assert.equal(late[1], "strip-dot never");
  assert.ok(late[0] > 0.96 && late[0] <= 1, `${late}`);
  assert.ok(early[0] < later[0] && later[0] < late[0], `${early} ${later} ${late}`);
  assert.equal(early[1], "strip-dot fails");
  const pair = claim.locator(".test").nth(4);
  assert.match(await pair.locator("tbody").innerText(),
    /^0\s+557k\s+never\s+\u2013\s+yes\s+1\s+never\s+766k\s+\u2013\s+no\s+2\s+never\s+never\s+\u2013\s+\u2013$/);
  const [first, last, ...more] = await marksOf(pair.locator(".strip"));
  assert.deepEqual(more, []); // of the third seed neither came: they are not ordered
  assert.ok(first[0] < 0.04 && first[1] === "strip-dot never", `${first}`);
  assert.ok(last[0] > 0.96 && last[1] === "strip-dot fails never", `${last}`);
  assert.deepEqual(wrong, []);
  await page.close();
});

test("where every seed decides there is no interval of the mean", { skip: skipGiven }, async () => {
  const ledger = madeUpLedger("fixture");
  ledger.claims[1].tests[1].decided_by = "every-seed"; // whatever interval stands there
  const { page } = await openStudy({ ...study, ledger });
  const claim = page.locator(".claim").nth(1);
  await claim.locator("> summary").click();
  assert.equal(await claim.locator(".test").nth(0).locator(".strip-interval").count(), 1);
  for (const at of [1, 3, 4]) {
    const decided = claim.locator(".test").nth(at);
    assert.equal(await decided.locator(".strip-interval").count(), 0);
    const text = await decided.locator(".spread").innerText();
    assert.doesNotMatch(text, /95% interval/);
    assert.equal(/mean/.test(text), at === 1); // of the others a run never came to it
    assert.match(text, /holds in \d of \d seeds.*decided by every seed\.$/);
  }
  await page.close();
});

test("fifteen claims can be scanned: each in two lines, all within one and a half screens", { skip: skipGiven }, async () => {
  const { page } = await openStudy({ ...study, ledger: madeUpLedger("fixture", 15) });
  const rows = page.locator(".claim > summary");
  assert.equal(await rows.count(), 15);
  const heights = await rows.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  assert.ok(Math.max(...heights) <= 48, String(heights));
  const figure = page.locator(".claim-figure").first(); // of two tests: cut until the claim is open
  const isCut = () => figure.evaluate((element) => element.scrollWidth > element.clientWidth);
  assert.equal(await isCut(), true);
  await rows.first().click();
  assert.equal(await isCut(), false);
  await rows.first().click();
  const list = await page.locator(".claims").boundingBox();
  assert.ok(list.y + list.height <= 900, `ends at ${list.y + list.height}`);
  await page.close();
});

test("a claim without tests, words, number or figure is a row all the same", { skip: skipGiven }, async () => {
  const bare = { name: "bare", number: null, says: "It says this.", article: "", article_figure: "", verdict: "something new",
    reason: "", figure: "", tests: [], runs: [] };
  const { page, unhandled } = await openStudy({ ...study, ledger: { question: "", claims: [bare] } });
  const text = await page.locator(".claim > summary").innerText();
  assert.match(text, /It says this\.\s+something new/);
  assert.deepEqual(unhandled, []);
  await page.close();
});

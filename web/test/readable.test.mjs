// What can be read: the contrast of every text, and the signs of print.
import assert from "node:assert/strict";
import { test } from "node:test";
import { study } from "./fixture.mjs";
import { drawn, nameOf, open, openStudy, skip, skipGiven, views } from "./opened.mjs";
import { contrastsOf, openAll, unreadable } from "./readable.mjs";

for (const view of views) {
  test(`every text stands out from what lies behind it: ${nameOf(view)}`, { skip }, async () => {
    const { page } = await open(view);
    await openAll(page);
    assert.ok((await contrastsOf(page)).length > 300);
    assert.deepEqual(await unreadable(page), []);
    await page.close();
  });
}

test("contrast is that of WCAG, with what really lies behind a text", { skip: skipGiven }, async () => {
  const { page } = await openStudy(study);
  await drawn(page);
  await page.evaluate(() => {
    document.body.innerHTML = `<div style="background: #777">
      <p style="color: #fff">html</p>
      <p style="color: #fff; opacity: 0.5">pale</p>
      <svg width="200" height="60"><rect width="200" height="60" fill="#0072b2"/>
        <rect width="200" height="30" fill="#fff" fill-opacity="0.5"/>
        <text x="10" y="20" fill="#000">half</text><text x="10" y="52" fill="#fff">blue</text></svg></div>`;
  });
  const found = Object.fromEntries((await contrastsOf(page)).map(({ text, ratio }) => [text, ratio.toFixed(1)]));
  assert.deepEqual(found, { html: "4.5", pale: "2.3", half: "9.8", blue: "5.2" });
  await page.close();
});

test("what the program says in ASCII has the signs of print", { skip: skipGiven }, async () => {
  const changed = structuredClone(study);
  changed.notes = ["the matrix is 3 x 4"];
  changed.lens[0].skipped = ["found 5 x 6"];
  changed.lens[0].matrices_note = "at most 512 x 512";
  changed.lens[0].mechanism.reason = "x 0.85 +- 0.01, an axis of 2x2";
  changed.arms[0].runs[1].summary.message = "7 x 8";
  const { page } = await openStudy(changed);
  await drawn(page);
  const text = await page.locator("main").innerText();
  for (const part of ["3 \u00d7 4", "5 \u00d7 6", "512 \u00d7 512", "\u00d7 0.85 \u00b1 0.01, an axis of 2x2", "7 \u00d7 8"]) {
    assert.ok(text.includes(part), part);
  }
  assert.doesNotMatch(text, /(^|\s)x \d/);
  await page.close();
});

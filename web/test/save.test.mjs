// Saving figures: what lies in the files.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { open, skipGiven } from "./opened.mjs";

async function saved(page, place, label) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(place).first().getByRole("button", { name: label }).click(),
  ]);
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}

/** Whether a text is a drawing that a browser reads, and how many shapes of a kind it has. */
async function parsed(page, text, kind) {
  return page.evaluate(([content, selector]) => {
    const read = new DOMParser().parseFromString(content, "image/svg+xml");
    return { ok: !read.querySelector("parsererror") && read.documentElement.tagName === "svg",
      count: read.querySelectorAll(selector).length };
  }, [text, kind]);
}

/** How many colors there are in a PNG. */
async function colorsOf(page, content) {
  return page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const colors = new Set();
    for (let at = 0; at < data.length; at += 4) colors.add(`${data[at]},${data[at + 1]},${data[at + 2]},${data[at + 3]}`);
    return colors.size;
  }, content.toString("base64"));
}

const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

const figures = [
  { what: "a chart", place: "#head-scores .save", name: "fixture-head-scores", mark: "path", rows: 12 },
  { what: "an attention map", place: ".pane .save", mark: "image", rows: (32 * 33) / 2,
    name: /^fixture-attention-script-img.*-seed-0-head-0\.1-100000-tokens$/ },
  { what: "a circuit", place: ".matrix .save", mark: "image", rows: 16,
    name: /^fixture-circuits-script-img.*-seed-0-OV-of-head-0\.0$/ },
  { what: "a circuit of a checkpoint", place: ".card-pair > :nth-child(1) .save", mark: "image", rows: 256,
    name: /^fixture-circuit-script-img.*-OV-of-head-0\.0-100000-tokens$/ },
  { what: "eigenvalues", place: ".card-pair > :nth-child(2) .save", mark: "path", rows: 24, name: /^fixture-eigenvalues-/ },
  { what: "a panel of the lens", place: "#ablation .save", mark: "path", rows: 2, name: /-seed-0-one$/ },
];

for (const { what, place, name, mark, rows } of figures) {
  test(`${what} is saved as SVG, PNG, Vega-Lite and CSV`, { skip: skipGiven }, async () => {
    const { page, wrong } = await open({ acceptDownloads: true, colorScheme: "dark" });
    await page.waitForTimeout(300);
    const drawing = await saved(page, place, /as SVG/);
    const stem = drawing.name.replace(/\.svg$/, "");
    if (typeof name === "string") assert.equal(stem, name);
    else assert.match(stem, name);
    const found = await parsed(page, drawing.content.toString(), mark);
    assert.ok(found.ok && found.count > 0, JSON.stringify(found));
    assert.ok(found.count > 0 && drawing.content.includes("<text"), "axes are named");

    const pixels = await saved(page, place, /as PNG/);
    assert.equal(pixels.name, `${stem}.png`);
    assert.deepEqual(pixels.content.subarray(0, 8), magic);
    assert.ok((await colorsOf(page, pixels.content)) > 8);

    const specification = await saved(page, place, /Vega-Lite/);
    assert.equal(specification.name, `${stem}.vl.json`);
    const spec = JSON.parse(specification.content);
    assert.match(spec.$schema, /vega-lite\/v5/);
    assert.ok(spec.mark && spec.encoding && spec.data.values.length > 0);
    if (mark === "image") assert.equal(spec.mark.type, "rect");

    const table = await saved(page, place, /CSV/);
    assert.equal(table.name, `${stem}.csv`);
    const lines = table.content.toString().trimEnd().split("\n");
    assert.equal(lines.length, rows + 1);
    const width = lines[0].split(",").length;
    assert.ok(width >= 3);
    assert.deepEqual(wrong, []);
    await page.close();
  });
}

test("a saved map's specification draws what the page shows", { skip: skipGiven }, async () => {
  const { page } = await open({ acceptDownloads: true });
  const { content } = await saved(page, ".pane .save", /Vega-Lite/);
  const { compile } = await import("vega-lite");
  const { parse, View } = await import("vega");
  const view = new View(parse(compile(JSON.parse(content)).spec), { renderer: "none" });
  await view.runAsync();
  const cells = [];
  const collect = (item) => {
    if (item.marktype === "rect" && item.name?.endsWith("marks")) cells.push(...item.items);
    for (const child of item.items ?? []) collect(child);
  };
  collect(view.scenegraph().root);
  assert.equal(cells.length, (32 * 33) / 2);
  // The strongest weight of the last row lies where the head looks: a token after the last copy.
  const row = cells.map((cell) => cell.datum).filter((one) => one.row === 31);
  const best = row.reduce((one, other) => (other.value > one.value ? other : one));
  assert.equal(best.column, 31 - 8 + 1);
  view.finalize();
  await page.close();
});

test("a specification keeps the checkpoint that the page shows", { skip: skipGiven }, async () => {
  const { page } = await open({ acceptDownloads: true });
  await page.getByRole("slider").press("ArrowLeft");
  const { content } = await saved(page, "#head-scores .save", /Vega-Lite/);
  assert.equal(JSON.parse(content).params.find((one) => one.name === "checkpoint").value, 1);
  await page.close();
});

// A filled page to test with: two arms, two heads each, three checkpoints, and hostile names.
import { readFile } from "node:fs/promises";
import { deflateSync } from "node:zlib";

export const hostileName = "</script><img src=x onerror=document.title='pwned'>";
const length = 32;
const period = 8;

/** A causal map that moves from uniform (sharpness 0) to the token after the last copy (1). */
function encodedMap(sharpness) {
  const bytes = [];
  for (let query = 0; query < length; ++query) {
    for (let source = 0; source <= query; ++source) {
      const hit = source === query - period + 1 ? sharpness : 0;
      bytes.push(Math.round(255 * Math.sqrt(hit + (1 - sharpness) / (query + 1))));
    }
  }
  return deflateSync(Uint8Array.from(bytes)).toString("base64");
}

function attention(arm) {
  return {
    arm,
    seed: 0,
    checkpoints: [0, 1000, 100000].map((tokens, i) => ({
      tokens,
      heads: [0, 1].map((head) => ({
        layer: 0,
        head,
        label: `layer 0, head ${head}`,
        induction: head * 0.4 * i,
        previous: null,
        map: encodedMap(head * 0.45 * i),
      })),
    })),
  };
}

function figure(id, signal, field) {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    width: 400,
    height: 200,
    params: [{ name: signal, value: 0, bind: { input: "range", min: 0, max: 2 } }],
    data: { values: [{ [field]: 1, y: 1, c: 0 }, { [field]: 10, y: 2, c: 1 }] },
    transform: [{ calculate: `datum.c + ${signal}`, as: "z" }],
    mark: "line",
    encoding: {
      x: { field, type: "quantitative" },
      y: { field: "y", type: "quantitative" },
      color: { value: "#0072B2" },
    },
  };
  const variants = [{ id, label: "linear", spec }];
  if (id === "second-half-loss") variants.push({ id: `${id}-log`, label: "logarithmic", spec });
  return { id, title: id, caption: `A caption of ${id}.`, variants };
}

export const study = {
  name: "fixture",
  question: `Does ${hostileName} look back?`,
  description: "",
  tokens: 100000,
  threads: 2,
  notes: ["a note"],
  arms: [hostileName, "alone"].map((name, i) => ({
    name,
    color: ["#0072B2", "#D55E00"][i],
    parameters: 10,
    runs: [
      { seed: 0, summary: { seed: 0, status: "finished", induction_score: 0.8, parameters: 10 } },
      { seed: 1, summary: { seed: 1, status: "diverged", message: "the loss became NaN" } },
    ],
  })),
  figures: [
    figure("induction-score", "cursor", "tokens"),
    figure("second-half-loss", "cursor", "tokens"),
    figure("loss-by-position", "checkpoint", "position"),
  ],
  checkpoints: [0, 1000, 100000],
  sequence: { tokens: Array.from({ length }, (_, i) => i % period), period },
  attention: [attention(0), attention(1)],
};

/** The template filled as fill_page in lookback/report/page.cc fills it. */
export async function filledPage(template) {
  const page = await readFile(template, "utf8");
  const data = JSON.stringify(study).replaceAll("<", "\\u003c");
  const place = '<script type="application/json" id="study-data"></script>';
  return page
    .replace("{{title}}", () => "fixture")
    .replace(place, () => place.replace("></", () => `>${data}</`));
}

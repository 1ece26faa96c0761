// A filled page to test with: two arms, two heads each, three checkpoints, verdicts, and hostile names.
import { readFile } from "node:fs/promises";
import { headScores, madeUpFrames, madeUpLedger, packed } from "./made_up.mjs";

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
  return packed(bytes);
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

/** A matrix [4, 4] of which the diagonal is `diagonal` times the scale, and all else zero. */
function encodedMatrix(diagonal) {
  const bytes = Uint8Array.from({ length: 16 }, (_, at) =>
    at % 5 === 0 ? 128 + Math.round(127 * Math.sign(diagonal) * Math.sqrt(Math.abs(diagonal))) : 128,
  );
  return packed(bytes);
}

function panel(id, square) {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    width: 300,
    height: 100,
    data: { values: [{ x: 1, y: "a", c: 0.2 }, { x: 2, y: "b", c: 0.9 }] },
    mark: "bar",
    encoding: {
      x: { field: "x", type: "quantitative" },
      y: { field: "y", type: "nominal" },
      color: { value: "#F5F5F5" },
    },
  };
  if (square) spec.usermeta = { square: true };
  return { id, label: `panel ${id}`, note: "a note", spec };
}

function lensRun(arm, seed) {
  const variant = (id, square, ...ids) => ({
    id,
    label: id,
    panels: ids.map((one) => panel(one, square)),
  });
  return {
    arm,
    seed,
    tokens: 100000,
    mechanism: {
      verdict: arm === 0 ? "k-composition" : "none",
      reason: `the reason of arm ${arm}, seed ${seed}: 0.85 +- 0.01`,
      facts:
        arm === 0
          ? [{ name: "cost", value: 5.123, reach: 0.05 }, { name: "share", value: -0.0001, reach: 0 },
            { name: "of one sequence", value: 0.5, reach: null }]
          : [],
    },
    figures: [
      {
        id: "ablation",
        title: "Ablations",
        caption: "What it is.",
        variants: [variant("inputs", false, "one"), variant("parts", false, "two", "three")],
      },
      {
        id: "eigenvalues",
        title: "Eigenvalues",
        caption: "What they are.",
        variants: [variant("direct", true, "disk")],
      },
    ],
    side: 4,
    matrices:
      arm === 0
        ? [
            { title: "OV of head 0.0", kind: "ov", score: 1, matching: 2.5, scale: 8,
              map: encodedMatrix(1) },
            { title: "QK of head 0.0", kind: "qk", score: -1, matching: null, scale: 2,
              map: encodedMatrix(-0.25) },
          ]
        : [],
    matrices_note: arm === 0 ? "" : "Whole circuits are kept up to 512 tokens.",
    skipped: arm === 0 ? [] : ["something was left out"],
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
  return { id, title: id, caption: `A caption of ${id}, which is longer than the line that it is folded to beside the verdicts, so that it is cut there.`, variants };
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
    configuration: i === 0 ? `[run]\narm = "${name}"\n` : "",
    runs: [
      { seed: 0, summary: { seed: 0, status: "finished", induction_score: 0.8, parameters: 10 } },
      { seed: 1, summary: { seed: 1, status: "diverged", message: "the loss became NaN" } },
    ],
  })),
  figures: [
    figure("induction-score", "cursor", "tokens"),
    figure("second-half-loss", "cursor", "tokens"),
    figure("loss-by-position", "checkpoint", "position"),
    headScores([hostileName, "alone"], [0, 1000, 100000]),
    figure("probes", "unused", "position"),
  ],
  checkpoints: [0, 1000, 100000],
  sequence: { tokens: Array.from({ length }, (_, i) => i % period), period },
  ledger: madeUpLedger("fixture", 8),
  progress: null,
  attention: [attention(0), attention(1)],
  frames: madeUpFrames([[0, 0], [1, 0]], [0, 1000, 100000]),
  lens: [lensRun(0, 0), lensRun(0, 1), lensRun(1, 0)],
};

/** The template filled with a study as fill_page in lookback/report/page.cc fills it. */
export async function filledPage(template, filling) {
  const page = await readFile(template, "utf8");
  const data = JSON.stringify(filling).replaceAll("<", "\\u003c");
  const place = '<script type="application/json" id="study-data"></script>';
  return page
    .replace("{{title}}", () => filling.name ?? "lookback")
    .replace(place, () => place.replace("></", () => `>${data}</`));
}

// Made-up parts of a study, for pages to test with and to look at: circuits through training, a
// ledger, progress.
import { deflateSync } from "node:zlib";

export function packed(bytes) {
  return deflateSync(Uint8Array.from(bytes)).toString("base64");
}

/** Noise in [-1, 1] that is the same every time. */
function noise(at) {
  const x = Math.sin(12.9898 * (at + 1)) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

/** A circuit whose diagonal grows with `share` of training, in [0, 1]. */
function circuit(title, kind, side, share, index) {
  const bytes = Array.from({ length: side * side }, (_, at) => {
    const onDiagonal = at % (side + 1) === 0;
    const value = (onDiagonal ? share : 0) + 0.15 * noise(at + 7919 * index);
    const bounded = Math.max(-1, Math.min(1, value));
    return 128 + Math.round(127 * Math.sign(bounded) * Math.sqrt(Math.abs(bounded)));
  });
  const eigenvalues = Array.from({ length: 24 }, (_, at) => {
    const angle = Math.PI * noise(at + 31 * index) * (1 - 0.9 * share);
    const size = (0.1 + share) * (0.3 + 0.7 * Math.abs(noise(at)));
    return [size * Math.cos(angle), size * Math.sin(angle)];
  });
  return {
    title, kind, head: "1.0", from: kind === "k_composition" ? "0.0" : null, score: 2 * share - 1,
    matching: kind === "ov" ? null : 12 * share, scale: 0.2 + 3 * share, map: packed(bytes), eigenvalues,
  };
}

export function madeUpFrames(runs, checkpoints, side = 16) {
  return runs.map(([arm, seed]) => ({
    arm, seed, side,
    checkpoints: checkpoints.map((tokens, at) => {
      const share = checkpoints.length > 1 ? at / (checkpoints.length - 1) : 1;
      const names = [["OV of head 0.0", "ov"], ["QK of head 0.0", "qk"], ["OV of head 1.0", "ov"],
        ["QK of 1.0, keys through 0.0", "k_composition"]];
      return { tokens, circuits: names.map(([title, kind], i) => circuit(title, kind, side, share, i + 10 * arm)) };
    }),
  }));
}

function test(verdict, of) {
  const seeds = Array.from({ length: of }, (_, seed) => {
    const difference = (verdict === "supported" ? 0.17 : -0.1) + 0.05 * noise(seed);
    return { seed, value: 0.86 + difference, other: 0.86, difference, holds: verdict === "supported" };
  });
  const decided = verdict === "supported" || verdict === "contradicted";
  return {
    says: "the best head's induction score at the end lies above that of the parallel layer",
    finding: "induction_score", unit: "", arm: "two-layer", relation: "above", probe: "repeated-blocks",
    against: "one-layer-parallel",
    compared_with: { arm: "one-layer-parallel", finding: "induction_score", times: 1, by: 0 }, threshold: 0,
    decided_by: "mean", scale: "linear", verdict, figure: "",
    reason: decided ? "the interval lies on one side of zero" : "two seeds more would be needed",
    seeds, mean: decided ? 0.94 : null, standard_deviation: decided ? 0.02 : null,
    interval: decided ? [0.11, 0.23] : null, holds_in: verdict === "supported" ? of : 0, of,
    share_interval: decided ? [0.57, 1] : null,
  };
}

/** Tests as they are without another arm: of tokens within two numbers, and of a word. */
function otherTests() {
  const common = { probe: "repeated-blocks", arm: "two-layer", verdict: "not decided", reason: "2 seeds decide nothing, 3 are needed",
    figure: "", of: 2, share_interval: [0.16, 1] };
  return [
    { ...common, says: "two-layer: tokens until the first transition is between 5.00M and 20.00M", finding: "transition_tokens", unit: "tokens",
      relation: "between", against: "5M to 20M", compared_with: null, threshold: [5e6, 2e7], decided_by: "mean", scale: "log", mean: 683748, standard_deviation: 0.16,
      interval: [161113, 2901763], holds_in: 0, seeds: [{ seed: 0, value: 766130, holds: false }, { seed: 1, value: 610225, holds: false }] },
    { ...common, says: "one-layer-sequential: tokens until the first transition is below that of two-layer", finding: "transition_tokens", unit: "tokens",
      relation: "below", against: "one-layer-sequential",
      compared_with: { arm: "one-layer-sequential", finding: "transition_tokens", times: 1, by: 0 }, threshold: 1, decided_by: "mean",
      scale: "log", mean: 0.777, standard_deviation: 0.1, interval: [0.335, 1.8], holds_in: 2,
      seeds: [{ seed: 0, value: 557253, other: 766130, difference: 0.7273398, holds: true }, { seed: 1, value: 514000, other: 610225, difference: 0.8423135, holds: true }] },
    { ...common, says: "two-layer: the mechanism is k-composition", finding: "mechanism", unit: "", relation: "is", against: "k-composition", compared_with: null, threshold: null,
      decided_by: "every-seed", scale: "linear", mean: null, standard_deviation: null, interval: null, holds_in: 2,
      seeds: [{ seed: 0, value: "k-composition", holds: true }, { seed: 1, value: null, holds: null }] },
  ];
}

const sentences = [
  ["Two layers of one head each form an induction head.", "supported", "score 0.92 [0.90, 0.94] in 5 seeds"],
  ["One layer of two parallel heads forms none.", "supported", "score 0.06 [0.05, 0.07] in 5 seeds"],
  ["One layer whose heads run one after the other forms an induction head.", "supported", "0.86 [0.83, 0.89] in 5 seeds"],
  ["The sequential layer's second-half loss ends within 0.1 nats of the two layers'.", "not decided", "0.08 [-0.03, 0.19] in 5 seeds"],
  ["The two-layer model ends sharper than the sequential layer.", "supported", "0.17 [0.11, 0.23] in 5 seeds"],
  ["The sequential layer makes the transition earlier.", "contradicted", "ratio 1.21 [1.05, 1.39] in 5 seeds"],
  ["A second transition follows after 200M tokens in the sequential layer.", "not tested at this size", "40M of 200M tokens"],
  ["The induction head reads the token before through its keys.", "supported", "share 0.81 [0.79, 0.83]"],
];

export function madeUpLedger(name, claims = sentences.length) {
  return {
    format: "lookback ledger 1", study: name, question: "",
    claims: Array.from({ length: claims }, (_, at) => {
      const [says, verdict, figure] = sentences[at % sentences.length];
      return {
        name: `claim-${at + 1}`, number: at === 7 ? null : at + 1, says, verdict, figure,
        article: at % 2 === 0 ? "The two layer model develops induction heads, and the one layer model does not." : "",
        article_figure: at % 2 === 0 ? "a score of 0.99" : "",
        reason: "Decided by the mean of the paired differences over five seeds.",
        tests: at === 1 ? otherTests() : [test(verdict, 5), test(verdict, 5)],
        runs: ["two-layer/seed-0", "two-layer/seed-1", "one-layer-parallel/seed-0"],
      };
    }),
  };
}

/** Runs as [arm, seed, tokens]; those at `of` are finished. */
export function madeUpProgress(runs, of) {
  const statusOf = (tokens) => (tokens >= of ? "finished" : tokens > 0 ? "training" : "waiting");
  return {
    tokens_done: runs.reduce((sum, [, , tokens]) => sum + tokens, 0),
    tokens_all: of * runs.length,
    runs: runs.map(([arm, seed, tokens]) => ({
      arm, seed, tokens, of, status: statusOf(tokens),
      tokens_per_second: tokens > 0 && tokens < of ? 231_000 : null,
    })),
  };
}

/** A figure of every head's score at a checkpoint, as the report draws it. */
export function headScores(arms, checkpoints) {
  const values = arms.flatMap((arm) =>
    checkpoints.flatMap((_, checkpoint) =>
      ["0.0", "1.0"].map((head, at) => ({
        arm, head, checkpoint, score: (at * 0.9 * checkpoint) / Math.max(1, checkpoints.length - 1) + 0.03,
      })),
    ),
  );
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    width: 640, height: 40 + 44 * arms.length,
    params: [{ name: "checkpoint", value: checkpoints.length - 1 }],
    data: { name: "scores", values },
    transform: [{ filter: "datum.checkpoint == checkpoint" }],
    mark: { type: "bar", tooltip: true },
    encoding: {
      y: { field: "arm", type: "nominal", title: null },
      yOffset: { field: "head", type: "nominal" },
      x: { field: "score", type: "quantitative", title: "induction score", scale: { domain: [0, 1] } },
      color: { value: "#0072B2" },
    },
  };
  return { id: "head-scores", title: "Scores of the heads", caption: "Every head at the checkpoint.",
    variants: [{ id: "head-scores", label: "induction", spec }] };
}

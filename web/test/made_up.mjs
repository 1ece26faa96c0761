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

const rounded = (value) => Number(value.toPrecision(7));
const quantile = { 2: 12.7062, 3: 4.302653, 5: 2.776445 }; // of |t| at 95%, by the number of values
const shown = (value) => (Math.abs(value) >= 1e5 ? `${(value / 1e6).toPrecision(3)}M` : value.toPrecision(3));

/** The probability of `hits` or more in `trials` of probability p. */
function atLeast(hits, trials, p) {
  let ways = 1;
  let sum = 0;
  for (let k = 0; k <= trials; ++k) {
    if (k >= hits) sum += ways * p ** k * (1 - p) ** (trials - k);
    ways *= (trials - k) / (k + 1);
  }
  return sum;
}

function shareWithTail(hits, trials, tail) {
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 60; ++halving) {
    const middle = (low + high) / 2;
    if (atLeast(hits, trials, middle) < tail) low = middle;
    else high = middle;
  }
  return low;
}

/** Of Clopper and Pearson; null of nothing. */
function shareInterval(hits, trials) {
  if (trials === 0) return null;
  const low = hits === 0 ? 0 : shareWithTail(hits, trials, 0.025);
  return [rounded(low), rounded(hits === trials ? 1 : shareWithTail(hits + 1, trials, 0.975))];
}

/**
 * What a ledger has of seeds as [value, other] or [value], with whether each holds: ratios to the other,
 * or differences from `times` the other.
 */
function measured({ scale, paired, holds, times = 1 }, seeds) {
  const log = scale === "log";
  const isNumber = (value) => typeof value === "number";
  const effects = seeds.map(([value, other = null]) => {
    if (!isNumber(value) || (paired && !isNumber(other))) return null;
    const pair = log ? value / other : value - times * other;
    return paired ? pair : value;
  });
  const rows = seeds.map(([value, other = null], seed) => ({
    seed, value, other, effect: paired && effects[seed] !== null ? rounded(effects[seed]) : null, holds: holds[seed],
  }));
  const values = effects.filter((one) => one !== null).map((one) => (log ? Math.log(one) : one));
  const n = values.length;
  const mean = values.reduce((sum, one) => sum + one, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1));
  const half = (quantile[n] * deviation) / Math.sqrt(n);
  const back = (value) => rounded(log ? Math.exp(value) : value);
  const decided = holds.filter((one) => one !== null);
  const holdsIn = decided.filter((one) => one).length;
  return {
    seeds: rows, compared_by: !paired ? null : log ? "ratio" : "difference", mean: n > 0 ? back(mean) : null, standard_deviation: n > 1 && !log ? rounded(deviation) : null,
    interval: n > 1 ? [back(mean - half), back(mean + half)] : null, holds_in: holdsIn, of: decided.length,
    share_interval: shareInterval(holdsIn, decided.length),
  };
}

const sides = { supported: "lies above", contradicted: "lies below", "not decided": "includes" };

function test(verdict) {
  const mean = { contradicted: -0.1, "not decided": 0.01 }[verdict] ?? 0.17;
  const differences = verdict === "not decided" ? [0.05, -0.04, 0.03, -0.05, 0.06] : [0.04, -0.03, 0.01, -0.05, 0.03].map((one) => mean + one);
  const says = "two-layer: the best head's induction score at the end is above that of one-layer-parallel";
  const figures = measured(
    { scale: "linear", paired: true, holds: differences.map((one) => one > 0) },
    differences.map((one) => [rounded(0.7 + one), 0.7]),
  );
  const [low, high] = figures.interval.map(shown);
  const decided = `the 95% interval over 5 seeds ${sides[verdict]} the bound; it holds in ${figures.holds_in} of 5 seeds`;
  return {
    says, finding: "induction_score", probe: "repeated-blocks", unit: "", arm: "two-layer", relation: "above",
    against: "one-layer-parallel",
    compared_with: { arm: "one-layer-parallel", finding: "induction_score", times: 1, by: 0 }, threshold: 0,
    decided_by: "mean", scale: "linear", verdict,
    reason: verdict === "not tested at this size" ? "it needs runs of 200M tokens, these have 40.0M" : decided,
    figure: `difference ${shown(figures.mean)} [${low}, ${high}]`, ...figures,
  };
}

const tooFew = "2 seeds decide nothing, 3 are needed";

/** Tests against a multiple of another arm's figure, and of likeness: with bounds that are no 1 and no 0. */
function boundedTests() {
  const holds = [true, true, true];
  const ratios = measured({ scale: "log", paired: true, holds }, [[9.98, 10], [19.98, 20], [30, 30]]);
  const differences = measured({ scale: "linear", paired: true, holds, times: 3 }, [[1.7, 0.1], [1.9, -0.1], [1.8, 0.1]]);
  const perplexity = { finding: "text_perplexity", probe: "repeated-blocks", unit: "", arm: "wd-1", decided_by: "mean", scale: "log", verdict: "supported" };
  const other = { arm: "wd-0", finding: "text_perplexity", times: 1, by: 0 };
  const interval = ratios.interval.map(shown).join(", ");
  return [
    { ...perplexity, says: "wd-1: the perplexity on validation text is below 1.1 times that of wd-0", relation: "below", against: "1.1 times wd-0",
      compared_with: { ...other, times: 1.1 }, threshold: 1.1, reason: "the 95% interval over 3 seeds lies below the bound; it holds in 3 of 3 seeds",
      figure: `\u00d7 ${shown(ratios.mean)} [${interval}]`, ...ratios },
    { ...perplexity, says: "wd-1: the perplexity on validation text is within 10% of that of wd-0", relation: "within", against: "wd-0 \u00b1 10%",
      compared_with: other, threshold: [0.9, 1.1], reason: "the 95% interval over 3 seeds lies inside the band; it holds in 3 of 3 seeds",
      figure: `\u00d7 ${shown(ratios.mean)} [${interval}]`, ...ratios },
    { says: "wide: second-half loss at the end is above 3 times that of narrow", finding: "second_half_loss", probe: "repeated-blocks", unit: "nats",
      arm: "wide", relation: "above", against: "3 times narrow", compared_with: { arm: "narrow", finding: "second_half_loss", times: 3, by: 0 },
      threshold: 0, decided_by: "mean", scale: "linear", verdict: "supported", reason: "the 95% interval over 3 seeds lies above the bound; it holds in 3 of 3 seeds",
      figure: `difference from 3 \u00d7 narrow ${shown(differences.mean)}`, ...differences },
    { says: "wide: second-half loss at the end is above 2 times that of narrow", finding: "second_half_loss", probe: "repeated-blocks", unit: "nats",
      arm: "wide", relation: "above", against: "2 times narrow", compared_with: { arm: "narrow", finding: "second_half_loss", times: 2, by: 0 },
      compared_by: "ratio", threshold: 2, decided_by: "mean", scale: "linear", verdict: "supported",
      reason: "the 95% interval over 3 seeds lies above the bound; it holds in 3 of 3 seeds", figure: "\u00d7 3.00 [2.68, 3.33]",
      seeds: [[2.9, 1.01], [3.1, 0.99], [3, 1]].map(([value, other], seed) => ({ seed, value, other, effect: rounded(value / other), holds: true })),
      mean: 3, standard_deviation: null, interval: [2.68489, 3.33116], holds_in: 3, of: 3, share_interval: shareInterval(3, 3) },
  ];
}

/** Tests of other kinds, of two seeds and three: tokens within two numbers, a ratio, a word, and never. */
function otherTests() {
  const tokens = { finding: "transition_tokens", probe: "repeated-blocks", unit: "tokens", decided_by: "mean", scale: "log" };
  const transition = "tokens until the first transition";
  const apart = measured({ scale: "log", paired: false, holds: [false, false] }, [[766130], [610225]]);
  const pairs = measured({ scale: "log", paired: true, holds: [true, true] }, [[557253, 766130], [514000, 610225]]);
  const words = measured({ scale: "linear", paired: false, holds: [true, null] }, [["k-composition"], [null]]);
  const later = measured({ scale: "log", paired: false, holds: [true, true, false] }, [["never"], [7340032], [4194304]]);
  const neither = measured({ scale: "log", paired: true, holds: [true, false, null] }, [[557253, "never"], ["never", 766130], ["never", "never"]]);
  const parallel = { arm: "one-layer-parallel", finding: "transition_tokens", times: 1, by: 0 };
  return [
    { ...tokens, says: `two-layer: ${transition} is between 5M and 20M`, arm: "two-layer", relation: "between", against: "5000000 to 20000000",
      compared_with: null, threshold: [5e6, 2e7], verdict: "not decided", reason: tooFew, figure: "0.684M [0.161M, 2.90M]", ...apart },
    { ...tokens, says: `one-layer-sequential: ${transition} is below that of two-layer`, arm: "one-layer-sequential", relation: "below", against: "two-layer",
      compared_with: { arm: "two-layer", finding: "transition_tokens", times: 1, by: 0 }, threshold: 1, verdict: "not decided", reason: tooFew,
      figure: `\u00d7 ${shown(pairs.mean)} [${pairs.interval.map(shown).join(", ")}]`, ...pairs },
    { says: "two-layer: the mechanism is k-composition", finding: "mechanism", probe: "repeated-blocks", unit: "", arm: "two-layer", relation: "is",
      against: "k-composition", compared_with: null, threshold: null, decided_by: "every-seed", scale: "linear", verdict: "not decided",
      reason: "1 seed decides nothing, 3 are needed; 1 of 2 seeds cannot be compared", figure: "k-composition in 1 of 1 seeds", ...words },
    { ...tokens, says: `one-layer-parallel: ${transition} is above 5M`, arm: "one-layer-parallel", relation: "above", against: "5000000", compared_with: null,
      threshold: 5e6, decided_by: "every-seed", verdict: "contradicted", reason: "it holds in 2 of 3 seeds", figure: "4.19M to never, holds in 2 of 3 seeds",
      ...later, interval: null },
    { ...tokens, says: `two-layer: ${transition} is below that of one-layer-parallel`, arm: "two-layer", relation: "below", against: "one-layer-parallel",
      compared_with: parallel, threshold: 1, decided_by: "every-seed", verdict: "not decided", reason: `${tooFew}; 1 of 3 seeds cannot be compared`,
      figure: "0.557M to never, holds in 1 of 2 seeds", ...neither },
  ];
}

const sentences = [
  ["Two layers of one head each form an induction head.", "supported"],
  ["One layer of two parallel heads forms none until later.", "contradicted"],
  ["One layer whose heads run one after the other forms an induction head.", "supported"],
  ["The sequential layer's second-half loss ends within 0.1 nats of the two layers'.", "supported"],
  ["The two-layer model ends sharper than the sequential layer.", "supported"],
  ["The sequential layer makes the transition earlier.", "not decided"],
  ["A second transition follows after 200M tokens in the sequential layer.", "not tested at this size"],
  ["The induction head reads the token before through its keys.", "supported"],
];

export function madeUpLedger(name, claims = sentences.length) {
  return {
    format: "lookback ledger 2", study: name, question: "",
    claims: Array.from({ length: claims }, (_, at) => {
      const [says, verdict] = sentences[at % sentences.length];
      const tests = at === 1 ? otherTests() : at === 2 ? boundedTests() : Array.from({ length: at === 0 ? 2 : 1 }, () => test(verdict));
      const decisive = tests.find((one) => one.verdict === verdict);
      const all = verdict === "supported";
      return {
        stated: { runs_ended: at === 3 ? 4 : 0, of: 9, after: "", mark: at === 3 ? "stated after 4 of 9 runs had ended" : "" },
        name: `claim-${at + 1}`, number: at === 7 ? null : at + 1, says, verdict,
        figure: verdict === "not tested at this size" ? "" : all ? tests.map((one) => one.figure).join("; ") : decisive.figure,
        article: at % 2 === 0 ? "The two layer model develops induction heads, and the one layer model does not." : "",
        article_figure: at % 2 === 0 ? "a score of 0.99" : "",
        reason: all && tests.length > 1 ? `all ${tests.length} tests hold` : `${decisive.says}: ${decisive.reason}`,
        tests,
        runs: ["one-layer-parallel/seed-0", "two-layer/seed-0", "two-layer/seed-1"],
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

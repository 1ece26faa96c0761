// What lookback writes into the page, or serves part by part: see page_data in lookback/report/page.h.

export interface RunSummary {
  status?: unknown;
  message?: unknown;
  tokens?: unknown;
  parameters?: unknown;
  induction_score?: unknown;
  induction_score_peak?: unknown;
  induction_chance?: unknown;
  second_half_loss?: unknown;
  first_half_loss?: unknown;
  transition_tokens?: unknown;
  tokens_per_second?: unknown;
}

export interface Panel {
  id: string;
  label: string;
  note: string;
  spec: Record<string, unknown>;
}

export interface PanelsVariant {
  id: string;
  label: string;
  panels: Panel[];
}

export interface LensFigure {
  id: string;
  title: string;
  caption: string;
  variants: PanelsVariant[];
}

export interface Mechanism {
  verdict: string;
  reason: string;
  /** `reach`: half the interval of 95%; null where that is not known. */
  facts: { name: string; value: number; reach: number | null }[];
}

export interface CircuitMatrix {
  title: string;
  kind: string;
  score: number;
  matching: number | null;
  scale: number;
  map: string;
}

/** What the lens found in the model of one run. */
export interface LensRun {
  arm: number;
  seed: number;
  tokens: number;
  mechanism: Mechanism;
  figures: LensFigure[];
  side: number;
  matrices: CircuitMatrix[];
  matrices_note: string;
  skipped: string[];
}

export interface RunData {
  seed: number;
  summary: RunSummary;
}

export interface ArmData {
  name: string;
  color: string;
  parameters: number;
  configuration: string;
  runs: RunData[];
}

export interface FigureVariant {
  id: string;
  label: string;
  spec: Record<string, unknown>;
}

export interface FigureData {
  id: string;
  title: string;
  caption: string;
  variants: FigureVariant[];
}

export interface HeadMap {
  layer: number;
  head: number;
  label: string;
  induction: number | null;
  previous: number | null;
  map: string;
}

export interface CheckpointMaps {
  tokens: number;
  heads: HeadMap[];
}

export interface RunMaps {
  arm: number;
  seed: number;
  checkpoints: CheckpointMaps[];
}

export interface Sequence {
  tokens: number[];
  period: number;
}

/** One circuit at one checkpoint: its first tokens as a matrix, and all of its eigenvalues. */
export interface FrameCircuit extends CircuitMatrix {
  head: string;
  from: string | null;
  eigenvalues: [number, number][];
}

export interface FrameCheckpoint {
  tokens: number;
  circuits: FrameCircuit[];
}

/** The circuits of a run through its training. */
export interface RunFrames {
  arm: number;
  seed: number;
  side: number;
  checkpoints: FrameCheckpoint[];
}

export interface RunProgress {
  arm: number;
  seed: number;
  tokens: number;
  of: number;
  status: string;
  tokens_per_second: number | null;
}

export interface Progress {
  tokens_done: number;
  tokens_all: number;
  runs: RunProgress[];
}

export interface SeedValue {
  seed: number;
  /** A word, or "never" where the run never came to it, is text. */
  value: number | string | null;
  /** Null where no other figure stands against it. */
  other: number | string | null;
  /** The ratio or difference that `compared_by` names; null without another figure. */
  effect: number | null;
  holds: boolean | null;
}

/** Another figure of the same seed: value > times * other + by. */
export interface ComparedWith {
  arm: string;
  finding: string;
  times: number;
  by: number;
}

/** The power law that a test fitted over its runs. */
export interface PowerLaw {
  key: string;
  exponent: number | null;
  factor: number | null;
  /** The factor that a run lies off the line, by one standard deviation. */
  spread: number | null;
  /** How many of the runs it was fitted to. */
  fitted: number;
  runs: { run: string; at: number; seed: number; value: number | string | null }[];
}

export interface ClaimTest {
  says: string;
  finding: string;
  unit: string;
  arm: string;
  relation: string;
  /** What it is held against, in words. */
  against: string;
  /** The other figure, where there is one. */
  compared_with: ComparedWith | null;
  /** "ratio" (to the other itself) or "difference" (from `times` the other); null without another. */
  compared_by: string | null;
  /** What figures, differences or ratios must exceed, fall below, or, two of them, lie between. */
  threshold: number | [number, number] | null;
  decided_by: string;
  scale: string;
  verdict: string;
  reason: string;
  seeds: SeedValue[];
  mean: number | null;
  standard_deviation: number | null;
  interval: [number, number] | null;
  holds_in: number;
  of: number;
  share_interval: [number, number] | null;
  /** Of an exponent; its `seeds` are the exponents of each seed alone. */
  law?: PowerLaw;
}

/** When a claim was first stated in this form. */
export interface Stated {
  /** Of the study's runs; null where that is not recorded. */
  runs_ended: number | null;
  of: number;
  /** In words, for a claim that is no prediction; else empty. */
  mark: string;
}

export interface Claim {
  name: string;
  number: number | null;
  says: string;
  article: string;
  article_figure: string;
  stated?: Stated;
  verdict: string;
  reason: string;
  figure: string;
  tests: ClaimTest[];
  runs: string[];
}

export interface Ledger {
  question: string;
  claims: Claim[];
}

/** The arms of a sweep, by the swept number. */
export interface SweepLegend {
  title: string;
  entries: { label: string; color: string; dashed: boolean }[];
}

export interface StudyData {
  name: string;
  question: string;
  description: string;
  tokens: number;
  threads: number;
  notes: string[];
  arms: ArmData[];
  /** Null where each arm has a color of its own. */
  legend: SweepLegend | null;
  figures: FigureData[];
  checkpoints: number[];
  sequence: Sequence;
  ledger: Ledger | null;
  /** Null where every run has ended. */
  progress: Progress | null;
  attention: RunMaps[];
  lens: LensRun[];
  frames: RunFrames[];
}

export const partNames = ["study", "attention", "lens", "frames"] as const;
export type PartName = (typeof partNames)[number];

/** A study of which only some parts are known. */
export function wholeStudy(known: Partial<StudyData>): StudyData {
  return {
    name: "",
    question: "",
    description: "",
    tokens: 0,
    threads: 0,
    notes: [],
    arms: [],
    legend: null,
    figures: [],
    checkpoints: [],
    sequence: { tokens: [], period: 0 },
    ledger: null,
    progress: null,
    attention: [],
    lens: [],
    frames: [],
    ...known,
  };
}

/** The study in the page, "live" where it is to be fetched, null in a template never filled. */
export function readPage(): StudyData | "live" | null {
  const text = document.getElementById("study-data")?.textContent ?? "";
  if (text.trim() === "") return null;
  const data = JSON.parse(text) as Partial<StudyData> & { live?: boolean };
  return data.live === true ? "live" : wholeStudy(data);
}

/** The finite number in a field of a summary, or null: a run may lack any of them. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

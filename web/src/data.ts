// What lookback writes into the page: see page_data in lookback/report/page.h.

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

export interface StudyData {
  name: string;
  question: string;
  description: string;
  tokens: number;
  threads: number;
  notes: string[];
  arms: ArmData[];
  figures: FigureData[];
  checkpoints: number[];
  sequence: Sequence;
  attention: RunMaps[];
  lens: LensRun[];
}

/** The study in the page, or null in a template that was never filled. */
export function readStudy(): StudyData | null {
  const text = document.getElementById("study-data")?.textContent ?? "";
  return text.trim() === "" ? null : (JSON.parse(text) as StudyData);
}

/** The finite number in a field of a summary, or null: a run may lack any of them. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

// The table of outcomes: a row a run, and before the runs of an arm with several seeds their mean.

import { numberOf, type ArmData, type RunData, type RunSummary, type StudyData } from "./data";
import { el, swatch } from "./dom";
import { decimal, integer, tokens, typeset } from "./format";

interface Column {
  title: string;
  detail: string;
  /** For a phone, where three stand side by side. */
  short: string;
  field: keyof RunSummary;
  print: (value: number) => string;
  /** How the spread between seeds is printed, in the digits of the mean; none for a constant. */
  spread?: (value: number) => string;
  bar?: boolean;
  /** What an absent value means, if it means something. */
  absent?: string;
}

const fixed = (value: number) => value.toFixed(3);

const columns: Column[] = [
  { title: "Parameters", detail: "", short: "Parameters", field: "parameters", print: integer },
  {
    title: "Induction score",
    detail: "end",
    short: "Score, end",
    field: "induction_score",
    print: decimal,
    spread: fixed,
    bar: true,
  },
  {
    title: "Induction score",
    detail: "peak",
    short: "Score, peak",
    field: "induction_score_peak",
    print: decimal,
    spread: fixed,
  },
  {
    title: "Second-half loss",
    detail: "nats",
    short: "Loss, nats",
    field: "second_half_loss",
    print: decimal,
    spread: fixed,
  },
  {
    title: "Transition",
    detail: "tokens",
    short: "Transition",
    field: "transition_tokens",
    print: tokens,
    spread: tokens,
    absent: "none",
  },
  {
    title: "Speed",
    detail: "tokens/s",
    short: "Tokens/s",
    field: "tokens_per_second",
    print: integer,
    spread: integer,
  },
];

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard deviation of the sample, over n - 1. */
function deviation(values: number[]): number {
  const center = mean(values);
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1),
  );
}

function label(column: Column): string {
  return column.detail ? `${column.title}, ${column.detail}` : column.title;
}

function cell(column: Column, content: (Node | string)[], value: number | null, color: string) {
  const data = el("td", { "data-label": label(column), "data-short": column.short }, ...content);
  if (column.bar && value !== null) {
    const fill = swatch(color);
    fill.className = "fill";
    fill.style.width = `${Math.min(1, Math.max(0, value)) * 100}%`;
    data.prepend(el("span", { class: "bar", "aria-hidden": "true" }, fill));
  }
  return data;
}

function armHead(arm: ArmData, first: boolean): HTMLElement {
  return first
    ? el("th", { scope: "row" }, swatch(arm.color), arm.name)
    : el("th", { scope: "row", class: "again" }, el("span", {}, swatch(arm.color), arm.name));
}

function isFinished(run: RunData): boolean {
  return typeof run.summary.status !== "string" || run.summary.status === "finished";
}

/** The row of a run, and below it what became of a run that did not finish. */
function runRows(arm: ArmData, run: RunData, first: boolean): HTMLElement[] {
  const row = el(
    "tr",
    { class: first ? "lead-row" : "run-row" },
    armHead(arm, first),
    el("td", { "data-label": "Seed" }, String(run.seed)),
  );
  const finished = isFinished(run);
  for (const column of columns) {
    const value = numberOf(run.summary[column.field]);
    // No transition is a finding in a run that finished, and nothing known in any other.
    const absent = finished && column.absent ? column.absent : "\u2013";
    const text = value === null ? el("span", { class: "absent" }, absent) : column.print(value);
    row.append(cell(column, [text], first ? value : null, arm.color));
  }
  if (finished) return [row];
  const message = typeof run.summary.message === "string" ? `: ${typeset(run.summary.message)}` : "";
  const status = el(
    "td",
    { class: "status", colspan: String(columns.length + 1) },
    `seed ${run.seed} ${run.summary.status}${message}`,
  );
  return [row, el("tr", { class: "run-row" }, el("td"), status)];
}

function meanRow(arm: ArmData, runs: RunData[]): HTMLElement {
  const row = el(
    "tr",
    { class: "lead-row" },
    armHead(arm, true),
    el("td", { "data-label": "Seed" }, `mean of ${runs.length}`),
  );
  for (const column of columns) {
    const values = runs
      .map((run) => numberOf(run.summary[column.field]))
      .filter((value) => value !== null);
    const content: (Node | string)[] = [];
    if (values.length === 0) {
      content.push(el("span", { class: "absent" }, column.absent ?? "\u2013"));
    } else {
      content.push(column.print(mean(values)));
      if (column.spread && values.length > 1) {
        content.push(el("small", {}, `\u00b1 ${column.spread(deviation(values))}`));
      }
      if (values.length < runs.length) {
        content.push(el("small", {}, `in ${values.length} of ${runs.length}`));
      }
    }
    row.append(cell(column, content, values.length > 0 ? mean(values) : null, arm.color));
  }
  return row;
}

function armRows(arm: ArmData): HTMLElement[] {
  const finished = arm.runs.filter(isFinished);
  const rows = finished.length > 1 ? [meanRow(arm, finished)] : [];
  for (const run of arm.runs) rows.push(...runRows(arm, run, rows.length === 0));
  return rows;
}

function tableHead(): HTMLElement {
  const row = el("tr", {}, el("th", { scope: "col" }, "Arm"), el("th", { scope: "col" }, "Seed"));
  for (const column of columns) {
    row.append(
      el(
        "th",
        { scope: "col" },
        column.title,
        column.detail ? el("small", {}, column.detail) : null,
      ),
    );
  }
  return el("thead", {}, row);
}

function caption(study: StudyData): string {
  const summaries = study.arms.flatMap((arm) => arm.runs.map((run) => run.summary));
  const chances = summaries
    .map((summary) => numberOf(summary.induction_chance))
    .filter((value) => value !== null);
  const chance = chances.length > 0 ? ` (uniform attention scores ${decimal(mean(chances))})` : "";
  const several = study.arms.some((arm) => arm.runs.length > 1)
    ? " Means over the runs that finished, \u00b1 one standard deviation between seeds."
    : "";
  return (
    `Measured on held-out sequences at the end of training. The induction score is the best ` +
    `head's${chance}; the transition is where it first crossed half of its maximum, and there is ` +
    `none where it never exceeded chance by 0.2.${several}`
  );
}

export function outcome(study: StudyData): HTMLElement {
  const body = el("tbody");
  for (const arm of study.arms) body.append(...armRows(arm));
  return el(
    "section",
    { class: "outcome", "aria-labelledby": "outcome" },
    el("h2", { id: "outcome" }, "Outcome"),
    el("table", {}, el("caption", {}, caption(study)), tableHead(), body),
  );
}

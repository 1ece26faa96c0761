// How far the runs are: one bar for all of them, and one for each behind it.

import type { Progress, RunProgress, StudyData } from "../data";
import { el, refill, swatch } from "../dom";
import { integer, plural, tokens } from "../format";
import { cssColor } from "../theme";

const fewRuns = 6; // that are shown without being asked for

function bar(share: number, label: string, color?: string): HTMLElement {
  const percent = 100 * Math.min(1, Math.max(0, share));
  const fill = el("span", { class: "progress-fill" });
  fill.style.width = `${percent}%`;
  if (color) fill.style.backgroundColor = cssColor(color);
  return el(
    "span",
    {
      class: "progress-bar",
      role: "progressbar",
      "aria-label": label,
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": String(Math.round(percent)),
    },
    fill,
  );
}

/** "3 min", "2 h 05 min". */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function share(done: number, all: number): number {
  return all > 0 ? done / all : 0;
}

function runText(run: RunProgress): string {
  if (run.status !== "training") return run.status;
  const rate = run.tokens_per_second;
  if (!rate) return "training";
  return `${integer(rate)} tokens/s, ${durationText((run.of - run.tokens) / rate)} left`;
}

function runRow(study: StudyData, run: RunProgress): HTMLElement {
  const arm = study.arms[run.arm];
  const name = `${arm?.name ?? `arm ${run.arm}`}, seed ${run.seed}`;
  return el(
    "li",
    { class: `run ${run.status}` },
    el("span", { class: "run-name" }, swatch(arm?.color ?? "#5B646D"), name),
    bar(share(run.tokens, run.of), name, arm?.color),
    el("span", { class: "run-tokens" }, `${tokens(run.tokens)} of ${tokens(run.of)}`),
    el("span", { class: "run-state" }, runText(run)),
  );
}

function wholeText({ runs, tokens_done, tokens_all }: Progress): string {
  const training = runs.filter((run) => run.status === "training");
  const rate = training.reduce((sum, run) => sum + (run.tokens_per_second ?? 0), 0);
  const ended = runs.filter((run) => run.status === "finished" || run.status === "diverged").length;
  const parts = [`${tokens(tokens_done)} of ${tokens(tokens_all)} tokens`, `${ended} of ${plural(runs.length, "run")} ended`];
  if (rate > 0) parts.push(`${integer(rate)} tokens/s`, `about ${durationText((tokens_all - tokens_done) / rate)} left`);
  return parts.join(", ");
}

export class ProgressSection {
  readonly element = el("section", { class: "progress", "aria-label": "Progress of the runs", hidden: "" });

  update(study: StudyData): void {
    const { progress } = study;
    this.element.hidden = !progress;
    if (!progress) return;
    const all = el("ul", {}, ...progress.runs.map((run) => runRow(study, run)));
    const first = this.element.childElementCount === 0;
    const details = el("details", { "data-key": "progress-runs" }, el("summary", { "data-key": "progress-summary" }, "Runs"), all);
    if (first) details.open = progress.runs.length <= fewRuns;
    refill(
      this.element,
      el(
        "div",
        { class: "whole" },
        bar(share(progress.tokens_done, progress.tokens_all), "All runs"),
        el("span", {}, wholeText(progress)),
      ),
      details,
    );
  }
}

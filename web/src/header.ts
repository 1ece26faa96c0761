// The study's question and what was run to answer it.

import type { StudyData } from "./data";
import { el } from "./dom";
import { plural, roundTokens, typeset } from "./format";

function facts(study: StudyData): string[] {
  const seeds = new Set(study.arms.flatMap((arm) => arm.runs.map((run) => run.seed)));
  const found = [plural(study.arms.length, "arm")];
  if (seeds.size > 0) found.push(plural(seeds.size, "seed"));
  if (study.tokens > 0) found.push(`${roundTokens(study.tokens)} training tokens a run`);
  if (study.threads > 0) found.push(plural(study.threads, "thread"));
  return found;
}

/** `badge` says whether a served page is still told what happens. */
export function header(study: StudyData, badge: HTMLElement | null): HTMLElement {
  const name = study.name || "study";
  return el(
    "header",
    {},
    el(
      "div",
      { class: "overline" },
      el("p", {}, study.question ? `lookback study: ${name}` : "lookback study"),
      badge,
    ),
    el("h1", {}, study.question || name),
    study.description ? el("p", { class: "lead" }, study.description) : null,
    el("ul", { class: "facts" }, ...facts(study).map((fact) => el("li", {}, fact))),
  );
}

export function footer(study: StudyData): HTMLElement {
  const about =
    "Made by lookback. Every figure can be saved as SVG, PNG, Vega-Lite specification and data; the " +
    "specifications lie in figures/ of the study too.";
  return el(
    "footer",
    {},
    study.notes.length > 0
      ? el(
          "section",
          { class: "notes", "aria-label": "Notes" },
          el("h2", {}, "Notes"),
          el("ul", {}, ...study.notes.map((note) => el("li", {}, typeset(note)))),
        )
      : null,
    el("p", {}, about),
  );
}

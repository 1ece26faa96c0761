// The whole configuration of each arm, folded up.

import type { StudyData } from "./data";
import { el, swatch } from "./dom";

export function configuration(study: StudyData): HTMLElement | null {
  const arms = study.arms.filter((arm) => arm.configuration);
  if (arms.length === 0) return null;
  return el(
    "section",
    { class: "configuration", "aria-labelledby": "configuration" },
    el("h2", { id: "configuration" }, "Configuration"),
    el(
      "p",
      { class: "hint" },
      "Each arm's first run as its config.toml has it; its other runs differ in the seed alone.",
    ),
    ...arms.map((arm) =>
      el(
        "details",
        { "data-key": `configuration-${arm.name}` },
        el("summary", {}, swatch(arm.color), arm.name),
        el("pre", { tabindex: "0" }, arm.configuration),
      ),
    ),
  );
}

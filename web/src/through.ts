// The section that a slider moves: the place in training, and everything that shows one checkpoint.

import { AttentionViewer } from "./attention/viewer";
import type { Chart } from "./charts/chart";
import { numberOf, type StudyData } from "./data";
import { el } from "./dom";
import type { Figures } from "./figures";
import { tokens as printTokens } from "./format";
import { FramesSection } from "./frames/section";
import { cssColor } from "./theme";
import { Timeline, type Moment } from "./timeline";

function momentsOf(study: StudyData): Moment[] {
  return study.arms.flatMap((arm) =>
    arm.runs.flatMap(({ seed, summary }) => {
      const tokens = numberOf(summary.transition_tokens);
      if (tokens === null) return [];
      const title = `transition of ${arm.name}, seed ${seed}: ${printTokens(tokens)} tokens`;
      return [{ tokens, color: cssColor(arm.color), title }];
    }),
  );
}

export class ThroughSection {
  readonly element: HTMLElement;
  private readonly timeline = new Timeline();
  private readonly charts = el("div", { class: "pair" });
  private readonly attentionPlace = el("div");
  private readonly framesPlace = el("div");
  private viewer: AttentionViewer | null = null;
  private frames: FramesSection | null = null;

  constructor(private readonly figures: Figures) {
    const hint =
      "The slider chooses the checkpoint for every figure below and marks it in the curves above; ticks are " +
      "checkpoints, colored marks the transitions of the runs. The left and right arrow keys move it too.";
    this.element = el(
      "section",
      { class: "through", "aria-labelledby": "through" },
      el("h2", { id: "through" }, "Through training"),
      el("p", { class: "hint" }, hint),
      this.timeline.element,
      this.charts,
      this.attentionPlace,
      this.framesPlace,
    );
    this.timeline.onChange(() => this.show());
    this.timeline.beforePlaying(async (tokens) => {
      await Promise.all([this.viewer?.prepare(tokens), this.frames?.prepare(tokens)]);
    });
  }

  /** Takes a newer study; the checkpoint, arms, seeds and heads stay as they were chosen. */
  update(study: StudyData, charts: Chart[]): void {
    this.element.hidden = study.checkpoints.length === 0;
    if (study.checkpoints.length === 0) return;
    this.timeline.setCheckpoints(study.checkpoints, momentsOf(study));
    const placed = [...this.charts.children];
    if (charts.length !== placed.length || charts.some((chart, at) => chart.element !== placed[at])) {
      this.charts.replaceChildren(...charts.map((chart) => chart.element));
    }
    if (study.attention.length > 0) {
      if (this.viewer) this.viewer.update(study);
      else this.attentionPlace.append((this.viewer = new AttentionViewer(study)).element);
    }
    if (study.frames.length > 0) {
      if (this.frames) this.frames.update(study);
      else this.framesPlace.append((this.frames = new FramesSection(study)).element);
    }
    this.show();
  }

  private show(): void {
    this.figures.steer(this.timeline.index, this.timeline.tokens);
    void this.viewer?.show(this.timeline.tokens);
    void this.frames?.show(this.timeline.tokens);
  }
}

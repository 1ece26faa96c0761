// The circuits of a run at the chosen checkpoint: what they do token by token, and their eigenvalues.

import { choiceOf, menuOf } from "../charts/choice";
import type { FrameCircuit, RunFrames, StudyData } from "../data";
import { DivergingScale } from "../diverging_scale";
import { el, refill } from "../dom";
import { newCaption } from "../figure";
import { tokens as printTokens } from "../format";
import { onThemeChange } from "../theme";
import { CircuitCard, prepareCircuit } from "./card";

const caption =
  "The OV and QK circuits of the run at the checkpoint chosen above. Left, the circuit between its first " +
  "tokens, row by column, as under the lens below: orange below zero, blue above, on one scale for the whole " +
  "training, so that a circuit appears as it grows. Right, the eigenvalues of the whole circuit in the complex " +
  "plane: the direction is their argument, the distance from the center the logarithm of their size, from a " +
  "hundredth of the largest in the whole training (smaller ones lie in the center) to the largest at the rim. " +
  "Eigenvalues near the positive real axis copy (OV) or match (QK). Score: \u2211 Re \u03bb / \u2211 |\u03bb|.";

export class FramesSection {
  readonly element: HTMLElement;
  private readonly bar = el("div", { class: "frames-bar" });
  private readonly note = el("p", { class: "hint" });
  private readonly grid = el("div", { class: "circuit-cards" });
  private readonly scale = new DivergingScale();
  private cards: CircuitCard[] = [];
  private built: RunFrames | undefined;
  private arm: number;
  private seed: number;
  private tokens = 0;

  /** REQUIRES frames of one run at least. */
  constructor(private study: StudyData) {
    this.arm = study.frames[0]?.arm ?? 0;
    this.seed = study.frames[0]?.seed ?? 0;
    this.element = el(
      "figure",
      { id: "frames", class: "frames" },
      el("div", { class: "figure-head" }, el("h3", {}, "Circuits as they form"), this.bar),
      this.scale.element,
      this.note,
      this.grid,
      newCaption(caption),
    );
    this.update(study);
    const redraw = () => void this.show(this.tokens);
    onThemeChange(redraw);
    new ResizeObserver(redraw).observe(this.grid);
  }

  update(study: StudyData): void {
    this.study = study;
    this.fillBar();
  }

  async prepare(tokens: number): Promise<void> {
    const run = this.run();
    const circuits = this.circuitsAt(run, tokens) ?? [];
    await Promise.allSettled(circuits.map((one) => prepareCircuit(one, run?.side ?? 0)));
  }

  async show(tokens: number): Promise<void> {
    this.tokens = tokens;
    this.scale.paint();
    const run = this.run();
    if (run !== this.built) this.build(run);
    const checkpoint = run?.checkpoints.findLast((one) => one.tokens <= tokens);
    this.note.textContent =
      checkpoint && checkpoint.tokens !== tokens ? `at ${printTokens(checkpoint.tokens)} tokens` : "";
    await Promise.all(
      this.cards.map((card) => card.show(checkpoint?.circuits.find((one) => one.title === card.title), tokens)),
    );
  }

  private run(): RunFrames | undefined {
    const { frames } = this.study;
    const exact = frames.find((one) => one.arm === this.arm && one.seed === this.seed);
    return exact ?? frames.find((one) => one.arm === this.arm) ?? frames[0];
  }

  private circuitsAt(run: RunFrames | undefined, tokens: number): FrameCircuit[] | undefined {
    return run?.checkpoints.findLast((one) => one.tokens <= tokens)?.circuits;
  }

  private build(run: RunFrames | undefined): void {
    this.built = run;
    const titles = [...new Set((run?.checkpoints ?? []).flatMap((one) => one.circuits.map((c) => c.title)))];
    const same = titles.join("\n") === this.cards.map((card) => card.title).join("\n");
    const name = run ? (this.study.arms[run.arm]?.name ?? "") : "";
    if (!same) {
      this.cards = titles.map((title) => new CircuitCard(title));
      this.grid.replaceChildren(...this.cards.map((card) => card.element));
    }
    for (const card of this.cards) if (run) card.setRun(this.study.name, name, run);
  }

  private fillBar(): void {
    const arms = [...new Set(this.study.frames.map((run) => run.arm))].sort((a, b) => a - b);
    const names = arms.map((arm) => this.study.arms[arm]?.name ?? "");
    const seeds = this.study.frames.filter((run) => run.arm === this.arm).map((run) => String(run.seed));
    const chooseArm = (index: number) => {
      this.arm = arms[index] ?? 0;
      this.fillBar();
      void this.show(this.tokens);
    };
    const present = Math.max(0, arms.indexOf(this.arm));
    const options = seeds.map((seed) => ({ value: seed, label: seed }));
    const seedMenu = menuOf("Seed", options, String(this.run()?.seed ?? 0), (value) => {
      this.seed = Number(value);
      void this.show(this.tokens);
    });
    refill(this.bar, names.length > 1 ? choiceOf("frames-arm", "Arm", names, chooseArm, present) : null, seedMenu);
  }
}

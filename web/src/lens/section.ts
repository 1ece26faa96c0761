// What the lens found in one model: the run to choose, the mechanism, the figures.

import { choiceOf, menuOf } from "../charts/choice";
import type { ArmData, LensRun, Mechanism, StudyData } from "../data";
import { el, refill, swatch } from "../dom";
import { tokens as printTokens, typeset } from "../format";
import { CircuitMatrices } from "./matrices";
import { PanelsFigure } from "./panels";

const verdicts: Record<string, string> = {
  none: "no learning in context to explain",
  "positional-band": "counting positions: a band of offsets is enough",
  "k-composition": "an induction head: its keys hold the token before, written by an earlier head",
  "q-composition": "an induction head: its queries hold where the token was, written by an earlier head",
  "smeared-keys": "an induction head: its keys hold the token before by smearing",
  unresolved: "no verdict, for the reason below",
};

/** How long a new width must last before everything is drawn anew. */
const resizeMilliseconds = 150;

function factText(value: number, reach: number | null): string {
  const digits = Math.abs(value) < 0.1 && value !== 0 ? 3 : 2;
  const shown = value.toFixed(digits).replace(/^-(?=0\.0*$)/, ""); // no negative zero
  return reach === null ? shown : `${shown} \u00b1 ${reach.toFixed(digits)}`;
}

function reasonText({ verdict, reason }: Mechanism): string {
  const name = verdict === "unresolved" ? "Reason" : "Decided by";
  const meaning = reason.includes("+-") ? " (\u00b1 half the interval of 95%)" : "";
  return `${name}: ${typeset(reason)}${meaning}.`;
}

function mechanismBlock(mechanism: Mechanism): HTMLElement {
  const facts = mechanism.facts.map(({ name, value, reach }) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, factText(value, reach))),
  );
  const meaning = Object.hasOwn(verdicts, mechanism.verdict) ? verdicts[mechanism.verdict] : null;
  return el(
    "div",
    { class: "mechanism" },
    el(
      "p",
      { class: "verdict" },
      el("b", {}, `Mechanism: ${mechanism.verdict || "not decided"}`),
      meaning ? `, ${meaning}.` : ".",
    ),
    mechanism.reason ? el("p", { class: "reason" }, reasonText(mechanism)) : null,
    facts.length > 0
      ? el(
          "details",
          {},
          el("summary", {}, "Every figure that decided it"),
          el("dl", { class: "mechanism-facts" }, ...facts),
          el(
            "p",
            { class: "hint" },
            "Shares are of the head's stake: the rise of second-half loss when what it writes becomes " +
              "its mean or, where less, what the model gains over chance; \u00b1 is the half width of the interval of 95%.",
          ),
        )
      : null,
  );
}

export class LensSection {
  readonly element: HTMLElement;
  private readonly body = el("div", { class: "lens-body" });
  private readonly bar = el("div", {
    class: "lens-bar",
    role: "group",
    "aria-label": "Model shown",
  });
  private arm: number;
  private seed: number;
  private shown = ""; // the run that is shown, as text

  private figures: PanelsFigure[] = [];
  private matrices: CircuitMatrices | null = null;

  /** `renumber` is called when there are other figures. REQUIRES at least one inspected run. */
  constructor(
    private study: StudyData,
    private readonly renumber: () => void,
  ) {
    this.arm = study.lens[0]?.arm ?? 0;
    this.seed = study.lens[0]?.seed ?? 0;
    this.element = el(
      "section",
      { class: "lens", "aria-labelledby": "lens" },
      el("h2", { id: "lens" }, "Under the lens"),
      el(
        "p",
        { class: "hint" },
        "What each head does in the model at the end of a run, and which of its parts the model " +
          "needs: found by intervening, and by reading the weights.",
      ),
      this.bar,
      this.body,
    );
    this.show();
    // Squares and canvases are as large as their place was when they were drawn.
    let width = 0;
    let timer: number | undefined;
    new ResizeObserver(() => {
      if (this.body.clientWidth === width) return;
      const first = width === 0;
      width = this.body.clientWidth;
      window.clearTimeout(timer);
      if (!first) timer = window.setTimeout(() => this.draw(), resizeMilliseconds);
    }).observe(this.body);
  }

  /** Takes newer inspections: the run stays chosen, and its figures stay where it has not changed. */
  update(study: StudyData): void {
    this.study = study;
    this.show();
  }

  /** Draws everything anew, in the present theme. */
  draw(): void {
    for (const figure of this.figures) void figure.draw();
    this.matrices?.draw();
  }

  private armOf(index: number): ArmData {
    const arm = this.study.arms[index];
    if (!arm) throw new Error(`lens: no arm ${index}`);
    return arm;
  }

  private seeds(): number[] {
    return this.study.lens.filter((run) => run.arm === this.arm).map((run) => run.seed);
  }

  private show(): void {
    const { lens } = this.study;
    const chosen = lens.find((one) => one.arm === this.arm && one.seed === this.seed);
    const run = chosen ?? lens.find((one) => one.arm === this.arm) ?? lens[0];
    this.fillBar();
    const text = JSON.stringify(run);
    if (text === this.shown) return;
    this.shown = text;
    for (const figure of this.figures) figure.release();
    this.figures = [];
    this.matrices = null;
    if (run) this.fill(run);
    this.renumber();
    if (this.element.isConnected) this.draw();
  }

  private fillBar(): void {
    const arms = [...new Set(this.study.lens.map((run) => run.arm))];
    const names = arms.map((arm) => this.armOf(arm).name);
    const choose = (index: number) => {
      this.arm = arms[index] ?? 0;
      this.seed = this.seeds()[0] ?? 0;
      this.show();
    };
    const options = this.seeds().map((seed) => ({ value: String(seed), label: String(seed) }));
    const seeds = menuOf("Seed", options, String(this.seed), (value) => {
      this.seed = Number(value);
      this.show();
    });
    refill(this.bar, choiceOf("lens-arm", "Arm", names, choose, Math.max(0, arms.indexOf(this.arm))), seeds);
  }

  private fill(run: LensRun): void {
    const arm = this.armOf(run.arm);
    const where = { study: this.study.name, run: `${arm.name}-seed-${run.seed}` };
    const parts: HTMLElement[] = [];
    const addMatrices = () => {
      this.matrices = new CircuitMatrices(run, where);
      parts.push(this.matrices.element);
    };
    for (const data of run.figures) {
      const figure = new PanelsFigure(data, where);
      this.figures.push(figure);
      parts.push(figure.element);
      // After the eigenvalues of the same circuits, where there are both.
      if (data.id === "eigenvalues") addMatrices();
    }
    if (!this.matrices) addMatrices();
    this.body.replaceChildren(
      el(
        "h3",
        { class: "lens-run" },
        swatch(arm.color),
        `${arm.name}, seed ${run.seed}, after ${printTokens(run.tokens)} tokens`,
      ),
      mechanismBlock(run.mechanism),
      ...parts,
      ...(run.skipped.length > 0
        ? [
            el(
              "div",
              { class: "notes" },
              el("h4", {}, "Not measured"),
              el("ul", {}, ...run.skipped.map((line) => el("li", {}, typeset(line)))),
            ),
          ]
        : []),
    );
  }
}

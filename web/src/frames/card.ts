// One circuit at the chosen checkpoint: its matrix, its eigenvalues, its scores.

import { showFailure } from "../charts/specification";
import type { FrameCircuit, RunFrames } from "../data";
import { el } from "../dom";
import { wordsOf } from "../lens/words";
import { decodeMatrix, drawMatrix, entryAt, type Matrix } from "../lens/matrix";
import { matrixFigure } from "../lens/save";
import { saveBar } from "../save/toolbar";
import { currentTheme } from "../theme";
import { drawPlane, planeFigure } from "./plane";

const decoded = new WeakMap<FrameCircuit, Promise<Matrix>>();

export function prepareCircuit(circuit: FrameCircuit, side: number): Promise<Matrix> {
  let matrix = decoded.get(circuit);
  if (!matrix) decoded.set(circuit, (matrix = decodeMatrix(circuit, side)));
  return matrix;
}

export class CircuitCard {
  readonly element: HTMLElement;
  private readonly matrix = el("canvas", { role: "img", class: "card-matrix" });
  private readonly plane = el("canvas", { role: "img", class: "card-plane" });
  private readonly scores = el("span", { class: "scores" });
  private readonly entry = el("p", { class: "entry" });
  private readonly failure = el("div");
  private run: RunFrames | undefined;
  private study = "";
  private arm = "";
  private scale = 0; // the largest entry of the whole training
  private rim = 0; // the largest eigenvalue
  private turn = 0;
  private circuit: FrameCircuit | undefined;
  private shown: Matrix | null = null;
  private tokens = 0;

  constructor(readonly title: string) {
    const variant = () => `${this.arm}-seed-${this.run?.seed ?? 0}-${this.title}-${this.tokens}-tokens`;
    const saved = matrixFigure(() => ({
      study: this.study,
      figure: "circuit",
      variant: variant(),
      circuit: this.circuit,
      matrix: this.shown,
    }));
    const savedPlane = planeFigure(() => ({
      study: this.study,
      variant: variant(),
      title: this.title,
      values: this.circuit?.eigenvalues ?? [],
      rim: this.rim,
    }));
    this.matrix.addEventListener("pointermove", (event) => this.point(event));
    this.matrix.addEventListener("pointerleave", () => (this.entry.textContent = ""));
    this.element = el(
      "div",
      { class: "card" },
      el("p", { class: "card-head" }, el("b", {}, title), this.scores),
      this.failure,
      el("div", { class: "card-pair" }, el("div", {}, this.matrix, saveBar(title, saved)), el("div", {}, this.plane, saveBar(`the eigenvalues of ${title}`, savedPlane))),
      this.entry,
    );
  }

  setRun(study: string, arm: string, run: RunFrames): void {
    this.study = study;
    this.arm = arm;
    this.run = run;
    const all = run.checkpoints.flatMap((one) => one.circuits.filter((c) => c.title === this.title));
    this.scale = Math.max(0, ...all.map((one) => one.scale));
    this.rim = 0;
    for (const one of all) for (const [re, im] of one.eigenvalues) this.rim = Math.max(this.rim, Math.hypot(re, im));
  }

  async show(circuit: FrameCircuit | undefined, tokens: number): Promise<void> {
    const turn = ++this.turn;
    try {
      const matrix = circuit ? await prepareCircuit(circuit, this.run?.side ?? 0) : null;
      if (turn !== this.turn) return;
      this.circuit = circuit;
      this.shown = matrix;
      this.tokens = tokens;
      this.failure.replaceChildren();
      const theme = currentTheme();
      if (matrix && circuit) {
        drawMatrix(this.matrix, matrix, theme, this.scale);
        drawPlane(this.plane, circuit.eigenvalues, this.rim, theme);
        const words = wordsOf(circuit);
        this.matrix.setAttribute("aria-label", `${this.title}: ${words.row} by ${words.column}`);
        this.plane.setAttribute("aria-label", `${circuit.eigenvalues.length} eigenvalues of ${this.title} in the complex plane`);
      }
      const score = circuit ? `score ${circuit.score.toFixed(2)}` : "not at this checkpoint";
      const diagonal = typeof circuit?.matching === "number" ? `, diagonal ${circuit.matching.toFixed(1)}` : "";
      this.scores.textContent = `${score}${diagonal}`;
    } catch (error) {
      if (turn === this.turn) showFailure(this.failure, error);
    }
  }

  private point(event: PointerEvent): void {
    if (!this.shown || !this.circuit) return;
    const bounds = this.matrix.getBoundingClientRect();
    const { side } = this.shown;
    const place = (at: number, size: number) => Math.min(side - 1, Math.max(0, Math.floor((at / size) * side)));
    const row = place(event.clientY - bounds.top, bounds.height);
    const column = place(event.clientX - bounds.left, bounds.width);
    const words = wordsOf(this.circuit);
    const value = Number(entryAt(this.shown, row, column).toPrecision(3));
    this.entry.textContent = `${words.row} ${row}, ${words.column} ${column}: ${words.entry} ${value}`;
  }
}

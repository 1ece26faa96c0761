// The circuits of one model as heat maps, with a reader for the entry under the pointer.

import { showFailure } from "../charts/specification";
import type { CircuitMatrix, LensRun } from "../data";
import { DivergingScale } from "../diverging_scale";
import { el } from "../dom";
import { newCaption } from "../figure";
import { typeset } from "../format";
import { saveBar } from "../save/toolbar";
import { currentTheme } from "../theme";
import { decodeMatrix, drawMatrix, entryAt, type Matrix } from "./matrix";
import { matrixFigure } from "./save";
import { wordsOf } from "./words";

interface Cell {
  row: number;
  column: number;
}

function number(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

class MatrixView {
  readonly element: HTMLElement;
  private readonly canvas = el("canvas", { tabindex: "0", role: "img" });
  private readonly readout = el("p", { class: "entry", role: "status" });
  private readonly failure = el("div");
  private matrix: Matrix | null = null;
  private cell: Cell | null = null;

  constructor(
    private readonly circuit: CircuitMatrix,
    private readonly side: number,
    where: { study: string; run: string },
  ) {
    const saved = matrixFigure(() => ({
      study: where.study,
      figure: "circuits",
      variant: `${where.run}-${circuit.title}`,
      circuit,
      matrix: this.matrix,
    }));
    const words = wordsOf(circuit);
    this.canvas.setAttribute(
      "aria-label",
      `${circuit.title}: ${words.row} by ${words.column}, ${side} by ${side}`,
    );
    const matching = circuit.matching === null ? "" : `, diagonal ${circuit.matching.toFixed(1)}`;
    this.element = el(
      "div",
      { class: "matrix" },
      el("p", {}, el("b", {}, circuit.title), el("span", {}, `score ${circuit.score.toFixed(2)}${matching}`)),
      el("div", { class: "matrix-frame" }, this.canvas),
      this.failure,
      el(
        "p",
        { class: "matrix-axes" },
        el("span", {}, `\u2193 ${words.row}`),
        el("span", {}, `\u2192 ${words.column}`),
      ),
      this.readout,
      saveBar(circuit.title, saved),
    );
    this.choose(null);
    const point = (event: PointerEvent) => this.point(event);
    this.canvas.addEventListener("pointermove", point);
    this.canvas.addEventListener("pointerdown", point);
    this.canvas.addEventListener("pointerleave", () => this.choose(null));
    this.canvas.addEventListener("blur", () => this.choose(null));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Draws anew, in the present theme and width, or says why that cannot be done. */
  async draw(): Promise<void> {
    try {
      this.matrix ??= await decodeMatrix(this.circuit, this.side);
      drawMatrix(this.canvas, this.matrix, currentTheme());
      this.failure.replaceChildren();
    } catch (error) {
      showFailure(this.failure, error);
    }
  }

  private point(event: PointerEvent): void {
    const bounds = this.canvas.getBoundingClientRect();
    const place = (at: number, size: number) =>
      Math.min(this.side - 1, Math.max(0, Math.floor((at / size) * this.side)));
    this.choose({
      row: place(event.clientY - bounds.top, bounds.height),
      column: place(event.clientX - bounds.left, bounds.width),
    });
  }

  /** Arrow keys walk over a matrix that has the focus, along the diagonal at first. */
  private onKey(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const move = moves[event.key];
    if (event.key === "Escape") this.choose(null);
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const from = this.cell ?? { row: 0, column: 0 };
    const size = event.shiftKey ? 8 : 1;
    const within = (value: number) => Math.min(this.side - 1, Math.max(0, value));
    this.choose({
      row: within(from.row + size * move[0]),
      column: within(from.column + size * move[1]),
    });
  }

  private choose(cell: Cell | null): void {
    this.cell = cell;
    if (!cell || !this.matrix) {
      this.readout.textContent = `colors \u00b1${number(this.circuit.scale)}`;
      return;
    }
    const words = wordsOf(this.circuit);
    const value = number(entryAt(this.matrix, cell.row, cell.column));
    this.readout.replaceChildren(
      `${words.row} ${cell.row}, ${words.column} ${cell.column}: `,
      el("b", {}, `${words.entry} ${value}`),
    );
  }
}

const caption =
  "OV and QK circuits, token by token, norms folded in as far as that is exact and their scales " +
  "frozen. OV: what attending to a token (row) adds to the logit of each token (column); a blue " +
  "diagonal copies. QK: the score of a query token (row) with each key token (column); a blue " +
  "diagonal matches. Through an earlier head: keys, queries or values as that head wrote them; the " +
  "diagonal of QK with keys through a previous-token head is the search of an induction head. " +
  "Color follows the entry, orange below zero and blue above, on a scale of its own for each circuit, " +
  "up to its largest entry, which stands below it. Score: \u2211 Re \u03bb / \u2211 " +
  "|\u03bb|; diagonal: how far it stands above its row, in standard deviations of the row. Point at a " +
  "circuit, or focus it and use the arrow keys, to read entries.";

export class CircuitMatrices {
  readonly element: HTMLElement;
  private readonly views: MatrixView[];
  private readonly scale = new DivergingScale();

  constructor(run: LensRun, where: { study: string; run: string }) {
    this.views = run.matrices.map((circuit) => new MatrixView(circuit, run.side, where));
    this.element = el(
      "figure",
      { id: "circuits", class: "lens-figure" },
      el("div", { class: "figure-head" }, el("h3", {}, "Circuits, token by token")),
      this.views.length > 0 ? this.scale.element : null,
      el("div", { class: "matrices" }, ...this.views.map((view) => view.element)),
      run.matrices_note ? el("p", { class: "hint" }, typeset(run.matrices_note)) : null,
      this.views.length > 0 ? newCaption(caption) : null,
    );
  }

  draw(): void {
    this.scale.paint();
    for (const view of this.views) void view.draw();
  }
}

// The attention of two runs side by side, with one cursor for both.

import type { StudyData } from "../data";
import { el } from "../dom";
import { newCaption } from "../figure";
import { decimal } from "../format";
import { currentTheme, onThemeChange, rampGradient } from "../theme";
import { isCorrect, type Cell } from "./draw";
import { Pane } from "./pane";

const legendWeights = [0, 0.05, 0.25, 0.5, 1];

export class AttentionViewer {
  readonly element: HTMLElement;
  private readonly tip = el("div", { class: "tip", hidden: "" });
  private readonly legend = el("div", { class: "ramp", "aria-hidden": "true" });
  private readonly mark = el("input", { type: "checkbox", checked: "" });
  private readonly panes: Pane[];
  private tokens = 0;
  private cell: Cell;

  /** REQUIRES attention maps of one run at least. */
  constructor(private study: StudyData) {
    const runs = study.attention;
    const other = runs.find((run) => run.arm !== runs[0]?.arm) ?? runs[1];
    const again = () => void this.show(this.tokens);
    this.panes = [runs[0], other].flatMap((run, index) =>
      run ? [new Pane(study, index === 0 ? "left" : "right", run.arm, run.seed, again)] : [],
    );
    for (const pane of this.panes) this.listen(pane);
    const { tokens, period } = study.sequence;
    this.cell = { query: Math.max(0, tokens.length - 1 - Math.floor(period / 2)), source: null };
    this.element = this.layOut();
    onThemeChange(again);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  update(study: StudyData): void {
    this.study = study;
    const last = Math.max(0, study.sequence.tokens.length - 1);
    if (this.cell.query > last) this.cell = { query: last, source: null };
    for (const pane of this.panes) pane.update(study);
  }

  async prepare(tokens: number): Promise<void> {
    await Promise.all(this.panes.map((pane) => pane.prepare(tokens)));
  }

  async show(tokens: number): Promise<void> {
    this.tokens = tokens;
    this.legend.style.background = rampGradient(currentTheme());
    const shown = await Promise.all(this.panes.map((pane) => pane.show(tokens)));
    if (shown.includes(true)) this.draw();
  }

  private draw(): void {
    for (const pane of this.panes) pane.draw(this.mark.checked, this.cell);
  }

  private listen(pane: Pane): void {
    const { element } = pane.map;
    element.tabIndex = 0;
    element.setAttribute("role", "img");
    const point = (event: PointerEvent) => {
      const bounds = element.getBoundingClientRect();
      const cell = pane.map.cellAt(event.clientX - bounds.left, event.clientY - bounds.top);
      this.choose(cell);
      if (cell) this.placeTip(event.clientX, event.clientY);
    };
    element.addEventListener("pointermove", point);
    element.addEventListener("pointerdown", point);
    element.addEventListener("pointerleave", () => this.choose(null));
    element.addEventListener("blur", () => this.choose(null));
    element.addEventListener("keydown", (event) => this.onKey(event, element));
  }

  /** Arrow keys walk the cursor over a map that has the focus; with Shift, eight at a time. */
  private onKey(event: KeyboardEvent, canvas: HTMLCanvasElement): void {
    if (event.key === "Escape") return this.choose(null);
    const moves: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { tokens, period } = this.study.sequence;
    const size = event.shiftKey ? 8 : 1;
    const within = (value: number, last: number) => Math.min(last, Math.max(0, value));
    const query = within(this.cell.query + size * move[0], tokens.length - 1);
    const start = this.cell.source ?? Math.max(0, query - Math.max(0, period - 1));
    this.choose({ query, source: within(start + size * move[1], query) });
    const bounds = canvas.getBoundingClientRect();
    this.placeTip(bounds.left + bounds.width / 3, bounds.top + 16);
  }

  /** Null: the pointer has left; the query stays, so that its row can be read. */
  private choose(cell: Cell | null): void {
    this.cell = cell ?? { query: this.cell.query, source: null };
    this.tip.hidden = cell === null;
    if (cell) this.tip.replaceChildren(...this.describe(cell));
    this.draw();
  }

  private describe(cell: Cell): HTMLElement[] {
    const { tokens } = this.study.sequence;
    const { query, source } = cell;
    const lines = [el("div", {}, el("b", {}, `query ${query}`), ` token ${tokens[query]}`)];
    if (source === null) return lines;
    lines.push(el("div", {}, el("b", {}, `source ${source}`), ` token ${tokens[source]}`));
    for (const pane of this.panes) {
      const weight = pane.weight(cell);
      if (weight !== null) lines.push(el("div", {}, `${pane.armName} `, el("b", {}, `weight ${decimal(weight)}`)));
    }
    if (isCorrect(this.study.sequence, query, source)) lines.push(el("div", { class: "correct" }, "a correct source"));
    return lines;
  }

  private placeTip(x: number, y: number): void {
    const room = document.documentElement.clientWidth;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${x + 18 + width > room ? Math.max(4, x - 18 - width) : x + 18}px`;
    this.tip.style.top = `${Math.max(4, y - this.tip.offsetHeight - 14)}px`;
  }

  private layOut(): HTMLElement {
    const { period } = this.study.sequence;
    this.mark.addEventListener("change", () => this.draw());
    const scale = el("div", { class: "scale" }, this.legend);
    for (const weight of legendWeights) {
      const tick = el("span", {}, String(weight));
      tick.style.left = `${100 * Math.sqrt(weight)}%`;
      scale.append(tick);
    }
    return el(
      "figure",
      { id: "attention", class: "attention" },
      el("div", { class: "figure-head" }, el("h3", {}, "Attention, head by head")),
      el(
        "div",
        { class: "map-options" },
        el("div", { class: "scale-box" }, el("span", { class: "scale-title" }, "attention weight"), scale),
        period > 0 ? el("label", { class: "check" }, this.mark, "mark the correct sources") : null,
      ),
      el("div", { class: "panes" }, ...this.panes.map((pane) => pane.element)),
      el("div", { class: "readers" }, ...this.panes.map((pane) => pane.reader.element)),
      newCaption(captionText(this.study)),
      this.tip,
    );
  }
}

function captionText(study: StudyData): string {
  const { tokens, period } = study.sequence;
  const marks =
    period > 0
      ? ` Thin lines are the boundaries of the block, which has ${period} tokens; the bars along the axes ` +
        `are the tokens. The correct sources of a query t, t \u2212 ${period} + 1 and those whole periods ` +
        `before it (between the lines along the diagonal), follow an earlier occurrence of its token; an induction ` +
        `head attends to them. Below, the same row as tokens: a line a copy of the block.`
      : " The bars along the axes are the tokens. Below, the same row as tokens.";
  return (
    `The attention pattern of every head on one held-out sequence of ${tokens.length} tokens, at ` +
    `the checkpoint chosen above, in two runs with one cursor; each row of a map sums to 1. Color follows ` +
    `the square root of the weight, so that faint attention shows.${marks} Scores are means over the whole ` +
    `held-out set, not over this sequence. Point at a map, or focus it and use the arrow keys, to see ` +
    `where a query looks.`
  );
}

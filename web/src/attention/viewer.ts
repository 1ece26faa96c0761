// Every head's map at one checkpoint: a column an arm, a row a head, one cross-hair for all.

import type { ArmData, CheckpointMaps, HeadMap, RunMaps, StudyData } from "../data";
import { el, swatch } from "../dom";
import { decimal, tokens as printTokens } from "../format";
import { currentTheme, onThemeChange, rampGradient } from "../theme";
import { decodeTriangle, weightAt, type Triangle } from "./decode";
import { imageOf, MapCanvas, type Cell } from "./draw";

const legendWeights = [0, 0.05, 0.25, 0.5, 1];

/** One head's place on the page, and what it shows at present. */
interface Panel {
  label: string;
  canvas: MapCanvas;
  scores: HTMLElement;
  weight: HTMLElement;
  triangle: Triangle | null;
}

interface Column {
  arm: ArmData;
  run: RunMaps | undefined;
  note: HTMLElement;
  panels: Panel[];
}

export class AttentionViewer {
  readonly element: HTMLElement;
  readonly seedChoice: HTMLElement;
  private readonly grid = el("div", { class: "maps" });
  private readonly tip = el("div", { class: "tip", role: "status", hidden: "" });
  private readonly legend = el("div", { class: "ramp", "aria-hidden": "true" });
  private readonly mark = el("input", { type: "checkbox" });
  private readonly decoded = new Map<HeadMap, Promise<Triangle>>();
  private columns: Column[] = [];
  private seed: number;
  private tokens = 0;
  private turn = 0;
  private cell: Cell | null = null;

  constructor(
    private readonly study: StudyData,
    number: number,
  ) {
    const seeds = [...new Set(study.attention.map((run) => run.seed))].sort((a, b) => a - b);
    this.seed = seeds[0] ?? 0;
    this.seedChoice = this.makeSeedChoice(seeds);
    this.element = this.layOut(number);
    this.build();
    onThemeChange(() => void this.show(this.tokens));
    new ResizeObserver(() => this.draw()).observe(this.grid);
  }

  /** Shows the maps at `tokens`; of calls that overlap only the last one draws. */
  async show(tokens: number): Promise<void> {
    this.tokens = tokens;
    const turn = ++this.turn;
    const theme = currentTheme();
    this.legend.style.background = rampGradient(theme);
    const length = this.study.sequence.tokens.length;
    const loaded = await Promise.all(
      this.columns.map(async (column) => {
        const checkpoint = checkpointAt(column.run, tokens);
        const triangles = await Promise.all(
          (checkpoint?.heads ?? []).map((head) => this.triangleOf(head)),
        );
        return { column, checkpoint, triangles };
      }),
    );
    if (turn !== this.turn) return;
    for (const { column, checkpoint, triangles } of loaded) {
      column.note.textContent = noteOf(checkpoint, tokens);
      column.panels.forEach((panel, i) => {
        const triangle = triangles[i] ?? null;
        panel.triangle = triangle;
        panel.canvas.setImage(triangle ? imageOf(triangle, length, theme) : null);
        panel.scores.replaceChildren(...scoresOf(checkpoint?.heads[i]));
        panel.canvas.element.setAttribute(
          "aria-label",
          `Attention map of ${panel.label} in ${column.arm.name} after ${printTokens(tokens)} tokens`,
        );
      });
    }
    this.draw();
  }

  private triangleOf(head: HeadMap): Promise<Triangle> {
    let triangle = this.decoded.get(head);
    if (!triangle) {
      triangle = decodeTriangle(head.map, this.study.sequence.tokens.length);
      this.decoded.set(head, triangle);
    }
    return triangle;
  }

  private draw(): void {
    const theme = currentTheme();
    for (const { panels } of this.columns) {
      for (const panel of panels) {
        panel.canvas.draw(theme, this.mark.checked, this.cell);
        const weight =
          this.cell && panel.triangle
            ? weightAt(panel.triangle, this.cell.query, this.cell.source)
            : null;
        panel.weight.textContent = weight === null ? "" : `weight ${decimal(weight)}`;
      }
    }
  }

  private build(): void {
    this.columns = this.study.arms.map((arm, index) => {
      const run = this.study.attention.find((one) => one.arm === index && one.seed === this.seed);
      const note = el("span", { class: "arm-note" });
      const panels = (run?.checkpoints.at(-1)?.heads ?? []).map((head) => this.makePanel(head));
      return { arm, run, note, panels };
    });
    this.grid.replaceChildren(
      ...this.columns.map(({ arm, note, panels }) =>
        el(
          "section",
          { class: "arm", "aria-label": `Attention maps of ${arm.name}` },
          el("h4", {}, swatch(arm.color), arm.name, note),
          el(
            "div",
            { class: "heads" },
            ...panels.map((panel) =>
              el(
                "div",
                { class: "map" },
                el("p", {}, el("b", {}, panel.label), panel.scores),
                panel.canvas.element,
                el("p", { class: "weight" }, panel.weight),
              ),
            ),
          ),
        ),
      ),
    );
  }

  private makePanel(head: HeadMap): Panel {
    const canvas = new MapCanvas(this.study.sequence);
    const { element } = canvas;
    element.tabIndex = 0;
    element.setAttribute("role", "img");
    const point = (event: PointerEvent) => {
      const bounds = element.getBoundingClientRect();
      this.choose(canvas.cellAt(event.clientX - bounds.left, event.clientY - bounds.top));
      this.placeTip(event.clientX, event.clientY);
    };
    element.addEventListener("pointermove", point);
    element.addEventListener("pointerdown", point);
    element.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.choose(null);
    });
    element.addEventListener("blur", () => this.choose(null));
    element.addEventListener("keydown", (event) => this.onKey(event, element));
    return {
      label: head.label || `layer ${head.layer}, head ${head.head}`,
      canvas,
      scores: el("span", { class: "scores" }),
      weight: el("span"),
      triangle: null,
    };
  }

  /** Arrow keys walk the cross-hair over a map that has the focus; with Shift, eight at a time. */
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
    const last = this.study.sequence.tokens.length - 1;
    const size = event.shiftKey ? 8 : 1;
    const from = this.cell ?? { query: last >> 1, source: last >> 2 };
    const query = Math.min(last, Math.max(0, from.query + size * move[0]));
    const source = Math.min(query, Math.max(0, from.source + size * move[1]));
    this.choose({ query, source });
    const bounds = canvas.getBoundingClientRect();
    this.placeTip(bounds.left + bounds.width / 3, bounds.top + 16);
  }

  private choose(cell: Cell | null): void {
    this.cell = cell;
    this.tip.hidden = cell === null;
    if (cell) this.tip.replaceChildren(...this.describe(cell));
    this.draw();
  }

  private describe({ query, source }: Cell): HTMLElement[] {
    const { tokens, period } = this.study.sequence;
    const correct =
      period > 0 && query >= period && source > 0 && tokens[source - 1] === tokens[query];
    return [
      el("div", {}, el("b", {}, `query ${query}`), ` token ${tokens[query]}`),
      el("div", {}, el("b", {}, `source ${source}`), ` token ${tokens[source]}`),
      ...(correct ? [el("div", { class: "correct" }, "a correct source")] : []),
    ];
  }

  private placeTip(x: number, y: number): void {
    if (this.tip.hidden) return;
    const room = document.documentElement.clientWidth;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${x + 18 + width > room ? Math.max(4, x - 18 - width) : x + 18}px`;
    this.tip.style.top = `${Math.max(4, y - this.tip.offsetHeight - 14)}px`;
  }

  private makeSeedChoice(seeds: number[]): HTMLElement {
    const select = el("select", {}, ...seeds.map((seed) => el("option", {}, String(seed))));
    select.addEventListener("change", () => {
      this.seed = Number(select.value);
      this.build();
      void this.show(this.tokens);
    });
    const label = el("label", { class: "seed", title: "The run whose maps are shown" }, "Seed ", select);
    label.hidden = seeds.length < 2;
    return label;
  }

  private layOut(number: number): HTMLElement {
    const { period } = this.study.sequence;
    this.mark.addEventListener("change", () => this.draw());
    this.mark.checked = false;
    const scale = el("div", { class: "scale" }, this.legend);
    for (const weight of legendWeights) {
      const tick = el("span", {}, String(weight));
      tick.style.left = `${100 * Math.sqrt(weight)}%`;
      scale.append(tick);
    }
    const options = el(
      "div",
      { class: "map-options" },
      el("div", { class: "scale-box" }, el("span", { class: "scale-title" }, "attention weight"), scale),
      period > 0 ? el("label", { class: "check" }, this.mark, "mark the correct sources") : null,
    );
    return el(
      "figure",
      { id: "attention", class: "attention" },
      el("div", { class: "figure-head" }, el("h3", {}, "Attention maps")),
      options,
      this.grid,
      el("figcaption", {}, el("b", {}, `Figure ${number}. `), captionOf(this.study)),
      this.tip,
    );
  }
}

/** The run's checkpoint at `tokens`, or its last one before, should the run have ended early. */
function checkpointAt(run: RunMaps | undefined, tokens: number): CheckpointMaps | undefined {
  return run?.checkpoints.findLast((checkpoint) => checkpoint.tokens <= tokens);
}

function noteOf(checkpoint: CheckpointMaps | undefined, tokens: number): string {
  if (!checkpoint) return "no map here";
  return checkpoint.tokens === tokens ? "" : `at ${printTokens(checkpoint.tokens)} tokens`;
}

function scoresOf(head: HeadMap | undefined): HTMLElement[] {
  const scores: HTMLElement[] = [];
  const add = (name: string, value: number | null | undefined) => {
    if (typeof value === "number") scores.push(el("span", {}, `${name} ${value.toFixed(2)}`));
  };
  add("induction", head?.induction);
  add("previous token", head?.previous);
  return scores;
}

function captionOf(study: StudyData): string {
  const { tokens, period } = study.sequence;
  const marks =
    period > 0
      ? ` Thin lines are the boundaries of the block, which has ${period} tokens. The correct ` +
        `sources of a query t, t \u2212 ${period} + 1 and those whole periods before it, follow an ` +
        `earlier occurrence of its token; an induction head attends to them.`
      : "";
  return (
    `The attention pattern of every head on one held-out sequence of ${tokens.length} tokens, at ` +
    `the checkpoint chosen above; each row of a map sums to 1. Color follows the square root of ` +
    `the weight, so that faint attention shows.${marks} Scores are means over the whole held-out ` +
    `set, not over this sequence. Point at a map, or focus it and use the arrow keys, to read weights.`
  );
}

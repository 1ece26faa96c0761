// A figure of several charts side by side, with variants to choose from.

import type { Result } from "vega-embed";
import { choiceOf } from "../charts/choice";
import { drawSpecification, isSquare, showFailure } from "../charts/specification";
import type { LensFigure, Panel } from "../data";
import { el } from "../dom";
import { newCaption } from "../figure";
import { chartFigure } from "../save/chart";
import { saveBar, type Savable } from "../save/toolbar";

export class PanelsFigure {
  readonly element: HTMLElement;
  private readonly grid = el("div", { class: "panels" });
  private places: { panel: Panel; place: HTMLElement; result: Result | null }[] = [];
  private drawing = Promise.resolve();
  private generation = 0; // of the places: what is drawn for earlier ones is given up

  constructor(
    private readonly figure: LensFigure,
    private readonly where: { study: string; run: string },
  ) {
    const labels = figure.variants.map((variant) => variant.label);
    const choose = (index: number) => {
      this.fill(index);
      void this.draw();
    };
    this.element = el(
      "figure",
      { id: figure.id, class: "lens-figure" },
      el(
        "div",
        { class: "figure-head" },
        el("h3", {}, figure.title),
        labels.length > 1 ? choiceOf(`${figure.id}-shown`, "Shown", labels, choose) : null,
      ),
      this.grid,
      newCaption(figure.caption),
    );
    this.fill(0);
  }

  /**
   * Draws anew, in the present theme and widths; drawings of one figure never overlap. A chart that
   * fails says so in its place, and the others are drawn all the same.
   */
  draw(): Promise<void> {
    this.drawing = this.drawing.then(() => this.drawNow());
    return this.drawing;
  }

  /** Gives up what the charts hold, and what is being drawn for them as soon as it is there. */
  release(): void {
    ++this.generation;
    for (const one of this.places) one.result?.finalize();
    this.places = [];
  }

  private async drawNow(): Promise<void> {
    const generation = this.generation;
    for (const one of this.places) {
      const old = one.result;
      one.result = null;
      try {
        const result = await drawSpecification(one.place, one.panel.spec, { longest: 8 });
        if (generation === this.generation) one.result = result;
        else result.finalize();
      } catch (error) {
        showFailure(one.place, error);
      }
      old?.finalize();
      if (generation !== this.generation) return;
    }
  }

  private fill(index: number): void {
    this.release();
    const panels = this.figure.variants[index]?.panels ?? [];
    this.places = panels.map((panel) => ({
      panel,
      place: el("div", { class: "chart" }),
      result: null,
    }));
    const square = panels.some((panel) => isSquare(panel.spec));
    this.grid.className = square ? "panels squares" : "panels";
    this.grid.replaceChildren(
      ...this.places.map(({ panel, place }) =>
        el(
          "div",
          { class: "panel" },
          el(
            "p",
            { class: "panel-head" },
            panel.label ? el("b", {}, panel.label) : null,
            panel.note ? el("span", {}, panel.note) : null,
          ),
          place,
          saveBar(panel.label || this.figure.title, this.saved(panel)),
        ),
      ),
    );
  }

  private saved(panel: Panel): Savable {
    return chartFigure(() => ({
      study: this.where.study,
      figure: this.where.run,
      variant: panel.id,
      spec: panel.spec,
      values: new Map(),
      longest: 8,
    }));
  }
}

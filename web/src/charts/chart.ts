// One figure: its title, its variants to choose from, the chart, what can be saved, and the caption.

import type { Result } from "vega-embed";
import type { FigureData, FigureVariant } from "../data";
import { el } from "../dom";
import { captionOf, foldCaption } from "../figure";
import { chartFigure } from "../save/chart";
import { saveBar } from "../save/toolbar";
import { currentTheme } from "../theme";
import { choiceOf } from "./choice";
import { changedData } from "./patch";
import { drawSpecification, paramNames, recolored, showFailure } from "./specification";

/** What charts take from the study as a whole. */
export interface Surroundings {
  /** The study's name, for the names of saved files. */
  study: string;
  /** Letters in the longest name of an arm, for which the legend makes room. */
  longest: number;
}

export class Chart {
  readonly element: HTMLElement;
  private readonly place = el("div", { class: "chart" });
  private readonly title = el("h3");
  private readonly choicePlace = el("span", { class: "choice-place" });
  private readonly caption = el("figcaption");
  private readonly signals = new Map<string, number>();
  private shown: FigureVariant | undefined;
  private height: number | null = null;
  private result: Result | null = null;
  private drawing = Promise.resolve();
  private running = false;
  private dirty = false;
  private waiting = 0; // drawings that are not done

  constructor(
    private figure: FigureData,
    private surroundings: Surroundings,
  ) {
    this.shown = figure.variants[0];
    const saved = chartFigure(
      () => ({
        study: this.surroundings.study,
        figure: this.figure.id,
        variant: this.shown?.id ?? "",
        spec: this.shown?.spec ?? {},
        values: this.signals,
        longest: this.surroundings.longest,
      }),
    );
    this.element = el(
      "figure",
      { id: figure.id, class: "chart-figure" },
      el("div", { class: "figure-head" }, this.title, this.choicePlace),
      this.place,
      saveBar(figure.title, saved),
      this.caption,
    );
    this.describe();
  }

  /** Low, without a legend and with its caption folded: where room is scarce and a legend stands beside it. */
  makeCompact(height: number | null): void {
    if (height === this.height) return;
    this.height = height;
    foldCaption(this.caption, height !== null);
    if (this.result) void this.draw();
  }

  /**
   * Draws anew, in the present theme and width class; drawings of one chart never overlap. One that
   * fails says so in its place, and the next is tried all the same.
   */
  draw(): Promise<void> {
    return this.next(() => this.drawNow());
  }

  /** Whether the specification has a parameter of that name. */
  has(signal: string): boolean {
    return this.shown !== undefined && paramNames(this.shown.spec).includes(signal);
  }

  /** Sets a parameter of the specification now and in every later drawing. */
  set(signal: string, value: number): void {
    if (this.signals.get(signal) === value) return;
    this.signals.set(signal, value);
    void this.apply();
  }

  /** Takes a newer figure of the same id: the chosen variant stays chosen. */
  update(figure: FigureData, surroundings: Surroundings): void {
    const before = this.shown;
    const same = JSON.stringify(figure) === JSON.stringify(this.figure);
    this.surroundings = surroundings;
    if (same) return;
    this.figure = figure;
    this.shown = figure.variants.find((one) => one.id === before?.id) ?? figure.variants[0];
    this.describe();
    void this.next(() => this.redraw(before));
  }

  release(): void {
    this.result?.finalize();
    this.result = null;
    this.element.remove();
  }

  /** One drawing after the other; parameters set meanwhile are for the last of them. */
  private next(draw: () => Promise<void>): Promise<void> {
    ++this.waiting;
    this.drawing = this.drawing.then(draw).then(() => {
      --this.waiting;
      return this.apply();
    });
    return this.drawing;
  }

  private describe(): void {
    this.title.textContent = this.figure.title;
    captionOf(this.caption, this.figure.caption);
    const labels = this.figure.variants.map((variant) => variant.label);
    const present = this.figure.variants.findIndex((one) => one.id === this.shown?.id);
    const choose = (index: number) => {
      this.shown = this.figure.variants[index];
      void this.draw();
    };
    this.choicePlace.replaceChildren(
      ...(labels.length > 1
        ? [choiceOf(`${this.figure.id}-shown`, "Shown", labels, choose, Math.max(0, present))]
        : []),
    );
  }

  /** Gives the view new rows where no more has changed, and draws anew where more has. */
  private async redraw(before: FigureVariant | undefined): Promise<void> {
    const changed =
      before && this.shown && this.result ? changedData(before.spec, this.shown.spec) : null;
    try {
      if (!changed || !this.result) return await this.drawNow();
      const theme = currentTheme();
      for (const [name, rows] of changed) this.result.view.data(name, recolored(rows, theme));
      this.setSignals(this.result);
      await this.result.view.runAsync();
    } catch {
      await this.drawNow();
    }
  }

  private async drawNow(): Promise<void> {
    if (!this.shown) return;
    const { spec } = this.shown;
    const { longest } = this.surroundings;
    const old = this.result;
    this.result = null;
    try {
      const drawing = { longest, height: this.height, values: this.signals };
      this.result = await drawSpecification(this.place, spec, drawing);
    } catch (error) {
      showFailure(this.place, error);
    }
    old?.finalize();
  }

  private setSignals({ view }: Result): void {
    for (const [name, value] of this.signals) if (this.has(name)) view.signal(name, value);
  }

  /** While a view runs, only the newest values wait for it. */
  private async apply(): Promise<void> {
    const result = this.result;
    if (!result || this.waiting > 0) return;
    this.dirty = true;
    if (this.running) return;
    this.running = true;
    try {
      while (this.dirty && result === this.result && this.waiting === 0) {
        this.dirty = false;
        this.setSignals(result);
        await result.view.runAsync();
      }
    } catch (error) {
      showFailure(this.place, error);
    } finally {
      this.running = false;
    }
  }
}

// The Vega-Lite charts: this module gives them the page's fonts and colors and nothing else.

import embed, { type Result, type VisualizationSpec } from "vega-embed";
import type { FigureData, FigureVariant } from "./data";
import { el } from "./dom";
import { currentTheme, shownColor, type Theme } from "./theme";

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** What one entry of a legend takes besides its letters, and a letter's width, in pixels. */
const entryPixels = 36;
const letterPixels = 6.3;

function config(theme: Theme, width: number, longest: number): Record<string, unknown> {
  const entry = entryPixels + letterPixels * longest;
  return {
    background: "transparent",
    font,
    padding: { left: 2, right: 10, top: 2, bottom: 2 },
    view: { stroke: null },
    axis: {
      labelColor: theme.muted,
      titleColor: theme.text,
      labelFontSize: 11,
      titleFontSize: 12,
      titleFontWeight: 500,
      titlePadding: 10,
      labelPadding: 5,
      gridColor: theme.grid,
      domainColor: theme.muted,
      tickColor: theme.muted,
      tickSize: 4,
    },
    axisY: { domain: false, ticks: false, tickCount: 6 },
    axisX: { grid: false, tickCount: Math.max(3, Math.min(10, Math.floor(width / 70))) },
    legend: {
      labelColor: theme.text,
      labelFontSize: 12,
      labelLimit: 220,
      symbolStrokeWidth: 3,
      symbolSize: 180,
      columnPadding: 18,
      columns: Math.max(1, Math.floor((width - 70) / entry)),
      offset: 8,
    },
  };
}

/** The specification for the page: as wide as its place, and steered by the page's own slider. */
function forPage(given: Record<string, unknown>, theme: Theme): VisualizationSpec {
  const recolor = (_: string, value: unknown) =>
    typeof value === "string" && value.startsWith("#") ? shownColor(value, theme) : value;
  const spec = JSON.parse(JSON.stringify(given, recolor)) as Record<string, unknown>;
  const params = Array.isArray(spec.params)
    ? spec.params.map(({ bind: _, ...rest }: Record<string, unknown>) => rest)
    : [];
  return { ...spec, params, width: "container" } as unknown as VisualizationSpec;
}

/** One figure: its title, its variants to choose from, the chart and the caption. */
export class Chart {
  readonly element: HTMLElement;
  private readonly place = el("div", { class: "chart" });
  private readonly signals = new Map<string, number>();
  private shown: FigureVariant | undefined;
  private result: Result | null = null;
  private drawing = Promise.resolve();

  /** `longest`: letters in the longest name of an arm, for which the legend makes room. */
  constructor(
    figure: FigureData,
    number: number,
    private readonly longest: number,
  ) {
    this.shown = figure.variants[0];
    this.element = el(
      "figure",
      { id: figure.id, class: "chart-figure" },
      el(
        "div",
        { class: "figure-head" },
        el("h3", {}, figure.title),
        figure.variants.length > 1 ? this.choice(figure) : null,
      ),
      this.place,
      el("figcaption", {}, el("b", {}, `Figure ${number}. `), figure.caption),
    );
  }

  /** Draws anew, in the present theme and width class; drawings of one chart never overlap. */
  draw(): Promise<void> {
    this.drawing = this.drawing.then(() => this.drawNow());
    return this.drawing;
  }

  /** Whether the specification has a parameter of that name. */
  has(signal: string): boolean {
    const params = this.shown?.spec.params;
    return Array.isArray(params) && params.some((param) => param?.name === signal);
  }

  /** Sets a parameter of the specification now and in every later drawing. */
  set(signal: string, value: number): void {
    this.signals.set(signal, value);
    this.apply();
  }

  private async drawNow(): Promise<void> {
    if (!this.shown) return;
    this.result?.finalize();
    const theme = currentTheme();
    this.result = await embed(this.place, forPage(this.shown.spec, theme), {
      mode: "vega-lite",
      renderer: "svg",
      actions: { export: { svg: true, png: true }, source: true, compiled: false, editor: false },
      config: config(theme, this.place.clientWidth, this.longest) as never,
      tooltip: { theme: theme.dark ? "dark" : "light" },
      downloadFileName: this.shown.id,
    });
    this.apply();
  }

  private apply(): void {
    if (!this.result) return;
    const view = this.result.view;
    for (const [name, value] of this.signals) view.signal(name, value);
    void view.runAsync();
  }

  private choice(figure: FigureData): HTMLElement {
    const group = el("fieldset", { class: "choice" }, el("legend", {}, "Shown"));
    figure.variants.forEach((variant, index) => {
      const input = el("input", { type: "radio", name: `${figure.id}-shown`, value: variant.id });
      input.checked = index === 0;
      input.addEventListener("change", () => {
        this.shown = variant;
        void this.draw();
      });
      group.append(el("label", {}, input, el("span", {}, variant.label)));
    });
    return group;
  }
}

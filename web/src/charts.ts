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
      titleColor: theme.text,
      titleFontSize: 12,
      titleFontWeight: 500,
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

/** Squares grow no wider than this. */
const widestSquare = 300;

/** The specification for the page: as wide as its place, and steered by the page's own slider. */
function forPage(given: Record<string, unknown>, theme: Theme, room: number): VisualizationSpec {
  const recolor = (_: string, value: unknown) =>
    typeof value === "string" && value.startsWith("#") ? shownColor(value, theme) : value;
  const spec = JSON.parse(JSON.stringify(given, recolor)) as Record<string, unknown>;
  const params = Array.isArray(spec.params)
    ? spec.params.map(({ bind: _, ...rest }: Record<string, unknown>) => rest)
    : [];
  const usermeta = spec.usermeta as { square?: unknown } | undefined;
  const side = Math.max(80, Math.min(widestSquare, room) - 16);
  const size = usermeta?.square ? { width: side, height: side } : { width: "container" };
  return { ...spec, params, ...size } as unknown as VisualizationSpec;
}

/** Draws a specification into its place, in the present theme. */
export function drawSpecification(
  place: HTMLElement,
  spec: Record<string, unknown>,
  id: string,
  longest: number,
): Promise<Result> {
  const theme = currentTheme();
  return embed(place, forPage(spec, theme, place.clientWidth), {
    mode: "vega-lite",
    renderer: "svg",
    actions: { export: { svg: true, png: true }, source: true, compiled: false, editor: false },
    config: config(theme, place.clientWidth, longest) as never,
    tooltip: { theme: theme.dark ? "dark" : "light" },
    downloadFileName: id,
  });
}

/** Says in the place of a drawing why there is none. */
export function showFailure(place: HTMLElement, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  const text = `This cannot be drawn: ${why}`;
  place.replaceChildren(el("p", { class: "hint failure", role: "alert" }, text));
}

/** Buttons of which one is chosen; `chosen` hears of it. */
export function choiceOf(
  name: string,
  legend: string,
  labels: string[],
  chosen: (index: number) => void,
): HTMLElement {
  const group = el("fieldset", { class: "choice" }, el("legend", {}, legend));
  labels.forEach((label, index) => {
    const input = el("input", { type: "radio", name, value: String(index) });
    input.checked = index === 0;
    input.addEventListener("change", () => chosen(index));
    group.append(el("label", {}, input, el("span", {}, label)));
  });
  return group;
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

  /**
   * Draws anew, in the present theme and width class; drawings of one chart never overlap. One that
   * fails says so in its place, and the next is tried all the same.
   */
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
    this.result = null;
    const { spec, id } = this.shown;
    try {
      this.result = await drawSpecification(this.place, spec, id, this.longest);
      this.apply();
    } catch (error) {
      showFailure(this.place, error);
    }
  }

  private apply(): void {
    if (!this.result) return;
    const view = this.result.view;
    for (const [name, value] of this.signals) view.signal(name, value);
    void view.runAsync();
  }

  private choice(figure: FigureData): HTMLElement {
    const labels = figure.variants.map((variant) => variant.label);
    return choiceOf(`${figure.id}-shown`, "Shown", labels, (index) => {
      this.shown = figure.variants[index];
      void this.draw();
    });
  }
}

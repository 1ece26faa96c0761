// The Vega-Lite specifications: this module gives them the page's fonts and colors and nothing else.

import embed, { type Result, type VisualizationSpec } from "vega-embed";
import { el } from "../dom";
import { currentTheme, shownColor, type Theme } from "../theme";

export type Specification = Record<string, unknown>;

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** What one entry of a legend takes besides its letters, and a letter's width, in pixels. */
const entryPixels = 36;
const letterPixels = 6.3;

/** `longest`: letters in the longest name of the legend. */
export function configOf(theme: Theme, width: number, longest: number): Record<string, unknown> {
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

export function isSquare(spec: Specification): boolean {
  return (spec.usermeta as { square?: unknown } | undefined)?.square === true;
}

/** Whether the page's legend of arms says nothing of its colors: then its own stays, however low it is. */
function keepsLegend(spec: Specification): boolean {
  return (spec.usermeta as { keepsLegend?: unknown } | undefined)?.keepsLegend === true;
}

export function paramNames(spec: Specification): string[] {
  const params = Array.isArray(spec.params) ? (spec.params as { name?: unknown }[]) : [];
  return params.map((param) => param?.name).filter((name) => typeof name === "string");
}

/** Anything of a specification, its colors as the theme shows them. */
export function recolored<T>(given: T, theme: Theme): T {
  const recolor = (_: string, value: unknown) =>
    typeof value === "string" && value.startsWith("#") ? shownColor(value, theme) : value;
  return JSON.parse(JSON.stringify(given, recolor)) as T;
}

/** The parameters without their own controls: the page steers them. */
export function unbound(spec: Specification, values: Map<string, number>): unknown[] {
  const params = Array.isArray(spec.params) ? (spec.params as Specification[]) : [];
  return params.map(({ bind: _, ...rest }) => {
    const value = values.get(String(rest.name));
    return value === undefined ? rest : { ...rest, value };
  });
}

/** How a chart is drawn: letters in its legend; a height below its own, which leaves the legend out. */
export interface Drawing {
  longest: number;
  height?: number | null;
  values?: Map<string, number>;
}

/** Encodings without their legends. */
function withoutLegends<T>(spec: T): T {
  const drop = (key: string, value: unknown) => (key === "legend" ? null : value);
  return JSON.parse(JSON.stringify(spec, drop)) as T;
}

/** The specification for the page: as wide as its place, and steered by the page's own slider. */
function forPage(given: Specification, theme: Theme, room: number, drawing: Drawing) {
  const spec = recolored(drawing.height && !keepsLegend(given) ? withoutLegends(given) : given, theme);
  const side = Math.max(80, Math.min(widestSquare, room) - 16);
  const size = isSquare(spec) ? { width: side, height: side } : { width: "container" };
  const lower =
    drawing.height && typeof spec.height === "number" && spec.height > drawing.height
      ? { height: drawing.height }
      : {};
  const params = unbound(spec, drawing.values ?? new Map());
  return { ...spec, params, ...size, ...lower } as unknown as VisualizationSpec;
}

/**
 * Draws a specification into its place, in the present theme. What was drawn there stays until the
 * new drawing is whole.
 */
export async function drawSpecification(
  place: HTMLElement,
  spec: Specification,
  drawing: Drawing,
): Promise<Result> {
  const theme = currentTheme();
  const config = configOf(theme, place.clientWidth, drawing.longest);
  const fresh = el("div", { class: "drawing new" });
  place.append(fresh);
  try {
    const result = await embed(fresh, forPage(spec, theme, place.clientWidth, drawing), {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      config: config as never,
      tooltip: { theme: theme.dark ? "dark" : "light" },
    });
    fresh.classList.remove("new");
    for (const old of [...place.children]) if (old !== fresh) old.remove();
    return result;
  } catch (error) {
    fresh.remove();
    throw error;
  }
}

/** Says in the place of a drawing why there is none. */
export function showFailure(place: HTMLElement, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  const text = `This cannot be drawn: ${why}`;
  place.replaceChildren(el("p", { class: "hint failure", role: "alert" }, text));
}

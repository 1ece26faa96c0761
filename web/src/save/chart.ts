// Saving a chart: drawn again for paper, in light colors and at its own size.

import { parse, View } from "vega";
import { compile } from "vega-lite";
import { configOf, isSquare, unbound, type Specification } from "../charts/specification";
import { lightTheme } from "../theme";
import { dataOf } from "./csv";
import { fileName, pngOf } from "./download";
import type { Savable } from "./toolbar";

export interface SavedChart {
  study: string;
  figure: string;
  variant: string;
  spec: Specification;
  /** Parameters as the page shows them. */
  values: Map<string, number>;
  longest: number;
}

const paperWidth = 640;
const paperSquare = 320;

/** The chart as it is shown, as a specification that stands alone. */
function present({ spec, values }: SavedChart): Specification {
  const params = Array.isArray(spec.params) ? (spec.params as Specification[]) : [];
  const set = params.map((param) => {
    const value = values.get(String(param.name));
    return value === undefined ? param : { ...param, value };
  });
  return set.length > 0 ? { ...spec, params: set } : spec;
}

async function viewOf(chart: SavedChart): Promise<View> {
  const { spec, values, longest } = chart;
  const width = typeof spec.width === "number" ? spec.width : paperWidth;
  const size = isSquare(spec) ? { width: paperSquare, height: paperSquare } : { width };
  const config = { ...configOf(lightTheme, width, longest), background: "#ffffff" };
  const whole = { ...spec, ...size, params: unbound(spec, values) };
  const compiled = compile(whole as never, { config: config as never }).spec;
  const view = new View(parse(compiled), { renderer: "none" });
  await view.runAsync();
  return view;
}

/** `chart` gives the chart as it is when the reader saves it. */
export function chartFigure(chart: () => SavedChart): Savable {
  const drawn = async <T>(use: (view: View) => Promise<T>): Promise<T> => {
    const view = await viewOf(chart());
    try {
      return await use(view);
    } finally {
      view.finalize();
    }
  };
  return {
    name: () => fileName(chart().study, chart().figure, chart().variant),
    svg: () => drawn((view) => view.toSVG()),
    png: () => drawn(async (view) => pngOf((await view.toCanvas(2)) as unknown as HTMLCanvasElement)),
    specification: () => Promise.resolve(present(chart())),
    csv: () => Promise.resolve(dataOf(chart().spec)),
  };
}

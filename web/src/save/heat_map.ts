// Saving what the page draws on a canvas: a map with its axes, cell by cell.

import { csvOf } from "./csv";
import { fileName, rasterOf } from "./download";
import type { Savable } from "./toolbar";

export interface HeatMap {
  study: string;
  figure: string;
  variant: string;
  title: string;
  side: number;
  row: string;
  column: string;
  value: string;
  /** The value of a cell; null where there is none. */
  at: (row: number, column: number) => number | null;
  /** One pixel a cell, in light colors. */
  image: HTMLCanvasElement;
  /** The scale of a Vega-Lite color channel. */
  scale: Record<string, unknown>;
}

const left = 64;
const top = 40;
const side = 480;
const width = left + side + 24;
const height = top + side + 60;

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function tickStep(count: number): number {
  let step = 1;
  while (count / step > 9) step *= 2;
  return step;
}

function drawingOf(map: HeatMap): string {
  const unit = side / map.side;
  const label = (x: number, y: number, anchor: string, text: string, more = "") =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" ${more}>${escaped(text)}</text>`;
  const ticks: string[] = [];
  for (let tick = 0; tick < map.side; tick += tickStep(map.side)) {
    const at = (tick + 0.5) * unit;
    ticks.push(label(left + at, top + side + 16, "middle", String(tick)));
    ticks.push(label(left - 7, top + at + 4, "end", String(tick)));
  }
  const turned = `transform="rotate(-90 18 ${top + side / 2})" font-size="13"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#1c2126">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    label(left, 24, "start", map.title, 'font-size="14" font-weight="600"'),
    `<image x="${left}" y="${top}" width="${side}" height="${side}" style="image-rendering:pixelated" preserveAspectRatio="none" href="${map.image.toDataURL("image/png")}"/>`,
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="#5b646d" stroke-width="0.75"/>`,
    ...ticks,
    label(left + side / 2, top + side + 42, "middle", map.column, 'font-size="13"'),
    label(18, top + side / 2, "middle", map.row, turned),
    "</svg>",
  ].join("\n");
}

/** The rows as arrays, which keeps the file small; null above a diagonal ends a row. */
function rowsOf(map: HeatMap): { row: number; value: number[] }[] {
  return Array.from({ length: map.side }, (_, row) => {
    const value: number[] = [];
    for (let column = 0; column < map.side; ++column) {
      const one = map.at(row, column);
      if (one !== null) value.push(Number(one.toPrecision(4)));
    }
    return { row, value };
  });
}

function specificationOf(map: HeatMap): unknown {
  const axis = { labelOverlap: true, ticks: false, domain: false };
  const ordinal = (field: string, title: string) => ({ field, title, type: "ordinal", axis });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title: map.title,
    width: side,
    height: side,
    data: { name: "cells", values: rowsOf(map) },
    transform: [
      { flatten: ["value"] },
      { window: [{ op: "row_number", as: "place" }], groupby: ["row"] },
      { calculate: "datum.place - 1", as: "column" },
    ],
    mark: { type: "rect", tooltip: true },
    encoding: {
      x: ordinal("column", map.column),
      y: ordinal("row", map.row),
      color: { field: "value", type: "quantitative", title: map.value, scale: map.scale },
    },
    config: { scale: { bandPaddingInner: 0 }, view: { stroke: null } },
  };
}

function* cellsOf(map: HeatMap): Iterable<unknown[]> {
  for (const { row, value } of rowsOf(map)) {
    for (let column = 0; column < value.length; ++column) yield [row, column, value[column]];
  }
}

/** `map` gives the map as it is when the reader saves it. */
export function heatMapFigure(map: () => Promise<HeatMap>, named: () => [string, string, string]): Savable {
  return {
    name: () => fileName(...named()),
    svg: async () => drawingOf(await map()),
    png: async () => rasterOf(drawingOf(await map()), width, height),
    specification: async () => specificationOf(await map()),
    csv: async () => {
      const whole = await map();
      return csvOf([whole.row, whole.column, whole.value].map((name) => name.replaceAll(" ", "_")), cellsOf(whole));
    },
  };
}

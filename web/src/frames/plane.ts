// Eigenvalues in the complex plane, their distance from the center logarithmic.

import { chartFigure } from "../save/chart";
import type { Savable } from "../save/toolbar";
import { lightTheme, type Theme } from "../theme";

const powers = 2; // of ten, from the center to the rim

/** Where an eigenvalue lies in the unit disk. */
export function placeOf([re, im]: [number, number], rim: number): [number, number] {
  const size = Math.hypot(re, im);
  if (!(size > 0) || !(rim > 0)) return [0, 0];
  const radius = Math.max(0, 1 + Math.log10(size / rim) / powers);
  return [(radius * re) / size, (radius * im) / size];
}

/** A dot an eigenvalue, in a disk of which the rim is the largest of the whole training. */
export function drawPlane(
  canvas: HTMLCanvasElement,
  values: [number, number][],
  rim: number,
  theme: Theme,
): void {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const side = Math.round(width * ratio);
  if (side === 0) return;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, width);
  const middle = width / 2;
  const radius = middle - 5;
  context.strokeStyle = theme.grid;
  context.lineWidth = 1;
  for (const share of [0.5, 1]) {
    context.beginPath();
    context.arc(middle, middle, share * radius, 0, 2 * Math.PI);
    context.stroke();
  }
  context.beginPath();
  context.moveTo(middle - radius, middle);
  context.lineTo(middle + radius, middle);
  context.moveTo(middle, middle - radius);
  context.lineTo(middle, middle + radius);
  context.stroke();
  context.globalAlpha = 0.6;
  context.fillStyle = theme.ink;
  for (const value of values) {
    const [x, y] = placeOf(value, rim);
    context.beginPath();
    context.arc(middle + radius * x, middle - radius * y, 2.2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

export interface SavedPlane {
  study: string;
  variant: string;
  title: string;
  values: [number, number][];
  rim: number;
}

function specificationOf({ title, values, rim }: SavedPlane): Record<string, unknown> {
  const rows = values.map((value) => {
    const [x, y] = placeOf(value, rim);
    return { re: value[0], im: value[1], size: Math.hypot(...value), x, y };
  });
  const axis = (field: string, name: string) => ({
    field,
    type: "quantitative",
    title: name,
    scale: { domain: [-1, 1] },
    axis: { labels: false, ticks: false, values: [-1, 0, 1] },
  });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title: `Eigenvalues of ${title}`,
    usermeta: { square: true },
    width: 320,
    height: 320,
    data: { name: "eigenvalues", values: rows },
    mark: { type: "point", filled: true, size: 24, opacity: 0.6, color: lightTheme.ink },
    encoding: {
      x: axis("x", "real (logarithmic distance from 0)"),
      y: axis("y", "imaginary"),
      tooltip: ["re", "im", "size"].map((field) => ({ field, type: "quantitative" })),
    },
  };
}

export function planeFigure(shown: () => SavedPlane): Savable {
  return chartFigure(() => ({
    study: shown().study,
    figure: "eigenvalues",
    variant: shown().variant,
    spec: specificationOf(shown()),
    values: new Map(),
    longest: 8,
  }));
}

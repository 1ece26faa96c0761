// One test as a line of dots: a seed each, the interval behind them, and the bounds they must pass.

import type { ClaimTest } from "../data";
import { el, svg } from "../dom";
import { shortNumber } from "./numbers";
import { effectOf, readingOf } from "./reading";

const margin = 2; // per cent at both ends

/** Null where there is nothing to place on a line. */
export function stripOf(test: ClaimTest): HTMLElement | null {
  const reading = readingOf(test);
  const dots = test.seeds.flatMap((seed) => {
    const at = effectOf(seed, reading);
    return at === null ? [] : [{ at, holds: seed.holds }];
  });
  const values = [...dots.map((dot) => dot.at), ...(test.interval ?? []), ...reading.bounds];
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (dots.length < 2 || !(high > low)) return null;
  const log = reading.logarithmic && low > 0;
  const along = (value: number) =>
    log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const place = (value: number) => `${margin + (100 - 2 * margin) * along(value)}%`;
  const parts: SVGElement[] = [
    svg("line", { x1: "0", x2: "100%", y1: "11", y2: "11", class: "strip-axis" }),
  ];
  if (test.interval) {
    const [x1, x2] = test.interval.map(place) as [string, string];
    parts.push(svg("line", { x1, x2, y1: "11", y2: "11", class: "strip-interval" }));
  }
  for (const bound of reading.bounds) {
    const x = place(bound);
    const text = reading.paired && log ? `\u00d7 ${bound}` : shortNumber(bound, test.unit);
    const anchor = along(bound) < 0.1 ? "start" : along(bound) > 0.9 ? "end" : "middle";
    parts.push(
      svg("line", { x1: x, x2: x, y1: "1", y2: "21", class: "strip-bound" }),
      svg("text", { x, y: "34", "text-anchor": anchor, class: "strip-label" }, text),
    );
  }
  for (const { at, holds } of dots) {
    const kind = holds === false ? "strip-dot fails" : "strip-dot";
    parts.push(svg("circle", { cx: place(at), cy: "11", r: "4.2", class: kind }));
  }
  const height = reading.bounds.length > 0 ? "37" : "22";
  const drawing = svg("svg", { height, width: "100%" }, ...parts);
  return el("div", { class: "strip", "aria-hidden": "true" }, drawing);
}

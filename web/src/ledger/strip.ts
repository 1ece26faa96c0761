// One test as a line of dots: a seed each, the interval behind them, and the value they must pass.

import type { ClaimTest } from "../data";
import { numberOf } from "../data";
import { el, svg } from "../dom";

interface Dot {
  at: number;
  holds: boolean | null;
}

function dotsOf(test: ClaimTest): Dot[] {
  return test.seeds
    .map(({ value, difference, holds }) => ({ at: numberOf(difference ?? value), holds }))
    .filter((dot): dot is Dot => dot.at !== null);
}

/** Whether another arm's value stands beside each seed's. */
export function isPaired(test: ClaimTest): boolean {
  return test.seeds.some((seed) => seed.difference !== null);
}

/** What the dots are held against: nothing (or a ratio of one) between two arms, else a number. */
export function thresholdOf(test: ClaimTest): number | null {
  if (isPaired(test)) return test.scale === "log" ? 1 : 0;
  const against = Number(test.against);
  return test.against.trim() !== "" && Number.isFinite(against) ? against : null;
}

const margin = 2; // per cent at both ends

/** Null where there is nothing to place on a line. */
export function stripOf(test: ClaimTest): HTMLElement | null {
  const dots = dotsOf(test);
  const threshold = thresholdOf(test);
  const values = [...dots.map((dot) => dot.at), ...(test.interval ?? []), ...(threshold === null ? [] : [threshold])];
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (dots.length < 2 || !(high > low)) return null;
  const log = test.scale === "log" && low > 0;
  const along = (value: number) => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  const place = (value: number) => `${margin + (100 - 2 * margin) * along(value)}%`;
  const parts: SVGElement[] = [
    svg("line", { x1: "0", x2: "100%", y1: "11", y2: "11", class: "strip-axis" }),
  ];
  if (test.interval) {
    const [x1, x2] = test.interval.map(place) as [string, string];
    parts.push(svg("line", { x1, x2, y1: "11", y2: "11", class: "strip-interval" }));
  }
  if (threshold !== null) {
    const x = place(threshold);
    const text = isPaired(test) && test.scale === "log" ? `\u00d7 ${threshold}` : String(threshold);
    const anchor = along(threshold) < 0.5 ? "start" : "end";
    parts.push(
      svg("line", { x1: x, x2: x, y1: "1", y2: "21", class: "strip-threshold" }),
      svg("text", { x, y: "34", "text-anchor": anchor, class: "strip-label" }, text),
    );
  }
  for (const { at, holds } of dots) {
    const kind = holds === false ? "strip-dot fails" : "strip-dot";
    parts.push(svg("circle", { cx: place(at), cy: "11", r: "4.2", class: kind }));
  }
  const drawing = svg("svg", { height: threshold === null ? "22" : "37", width: "100%" }, ...parts);
  return el("div", { class: "strip", "aria-hidden": "true" }, drawing);
}

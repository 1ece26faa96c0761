// One test as a line of dots: a seed each, the interval behind them, and the bounds they must pass. A
// seed that never came to it is an arrow at the line's end.

import type { ClaimTest } from "../data";
import { el, svg } from "../dom";
import { shortNumber } from "./numbers";
import { effectOf, readingOf } from "./reading";

const margin = 2; // per cent at both ends
const endMargin = 5; // per cent at both ends, where a seed that never came to it is marked at one

function markAt(x: string, kind: string, at: number): SVGElement {
  if (Number.isFinite(at)) return svg("circle", { cx: x, cy: "11", r: "4.2", class: kind });
  const d = at > 0 ? "M-4,-5 L5,0 L-4,5 Z" : "M4,-5 L-5,0 L4,5 Z";
  const arrow = svg("path", { d, class: `${kind} never`, transform: "translate(0 11)" });
  return svg("svg", { x, overflow: "visible" }, arrow);
}

/** Null where there is nothing to place on a line. */
export function stripOf(test: ClaimTest): HTMLElement | null {
  const reading = readingOf(test);
  const dots = test.seeds.flatMap((seed) => {
    const at = effectOf(seed, reading);
    return at === null ? [] : [{ at, holds: seed.holds }];
  });
  const finite = dots.map((dot) => dot.at).filter(Number.isFinite);
  const hasEnds = finite.length < dots.length;
  const values = [...finite, ...(reading.interval ?? []), ...reading.bounds];
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (dots.length < 2 || values.length === 0 || (!hasEnds && low === high)) return null;
  const log = reading.logarithmic && low > 0;
  const along = (value: number) => {
    if (low === high) return 0.5;
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  };
  const inner = hasEnds ? endMargin : margin;
  const place = (value: number) => {
    if (!Number.isFinite(value)) return value > 0 ? `${100 - margin}%` : `${margin}%`;
    return `${inner + (100 - 2 * inner) * along(value)}%`;
  };
  const parts: SVGElement[] = [
    svg("line", { x1: "0", x2: "100%", y1: "11", y2: "11", class: "strip-axis" }),
  ];
  if (reading.interval) {
    const [x1, x2] = reading.interval.map(place) as [string, string];
    parts.push(svg("line", { x1, x2, y1: "11", y2: "11", class: "strip-interval" }));
  }
  for (const bound of reading.bounds) {
    const x = place(bound);
    const text = reading.byRatio ? `\u00d7 ${bound}` : shortNumber(bound, test.unit);
    const anchor = along(bound) < 0.1 ? "start" : along(bound) > 0.9 ? "end" : "middle";
    parts.push(
      svg("line", { x1: x, x2: x, y1: "1", y2: "21", class: "strip-bound" }),
      svg("text", { x, y: "34", "text-anchor": anchor, class: "strip-label" }, text),
    );
  }
  for (const { at, holds } of dots) {
    const kind = holds === false ? "strip-dot fails" : "strip-dot";
    parts.push(markAt(place(at), kind, at));
  }
  const height = reading.bounds.length > 0 ? "37" : "22";
  const drawing = svg("svg", { height, width: "100%" }, ...parts);
  return el("div", { class: "strip", "aria-hidden": "true" }, drawing);
}

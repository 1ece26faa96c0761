// The mark of a verdict: a shape of its own for each, so that no color is needed to tell them apart.

import { el, svg } from "../dom";

export interface Verdict {
  verdict: string;
  /** Of the class of its mark and color. */
  kind: string;
  paths: string[];
}

const verdicts: Verdict[] = [
  { verdict: "supported", kind: "supported", paths: ["M5.6 10.4l3 3 5.8-6.4"] },
  { verdict: "contradicted", kind: "contradicted", paths: ["M6.6 6.6l6.8 6.8", "M13.4 6.6l-6.8 6.8"] },
  {
    verdict: "not decided",
    kind: "undecided",
    paths: ["M7.6 8a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2 1-1.2 1.9", "M10 14.6v.1"],
  },
  { verdict: "not tested at this size", kind: "untested", paths: ["M6.5 10h7"] },
];

export function verdictOf(name: string): Verdict {
  const other = { verdict: name, kind: "untested", paths: [] };
  return verdicts.find((one) => one.verdict === name) ?? other;
}

export function verdictNames(): string[] {
  return verdicts.map((one) => one.verdict);
}

const frames: Record<string, SVGElement> = {
  supported: svg("circle", { cx: "10", cy: "10", r: "9" }),
  contradicted: svg("path", { d: "M10 .2L19.8 10 10 19.8.2 10z" }),
  undecided: svg("circle", { cx: "10", cy: "10", r: "8.2" }),
  untested: svg("rect", { x: "2", y: "2", width: "16", height: "16", rx: "3" }),
};

/** The mark alone, hidden from screen readers: the verdict's words stand beside it. */
export function markOf(name: string): HTMLElement {
  const { kind, paths } = verdictOf(name);
  const frame = frames[kind]?.cloneNode(true) as SVGElement;
  frame.setAttribute("class", "mark-frame");
  const lines = paths.map((d) => svg("path", { d, class: "mark-line" }));
  const drawing = svg("svg", { viewBox: "0 0 20 20" }, frame, ...lines);
  return el("span", { class: `mark ${kind}`, "aria-hidden": "true" }, drawing);
}

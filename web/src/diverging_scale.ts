// The scale beside maps of circuits: from the largest entry below zero to that above.

import { el } from "./dom";
import { currentTheme, divergingGradient } from "./theme";

const marks = [[0, "\u2212largest"], [0.5, "0"], [1, "largest"]] as const;

export class DivergingScale {
  readonly element: HTMLElement;
  private readonly ramp = el("div", { class: "ramp", "aria-hidden": "true" });

  constructor() {
    const scale = el("div", { class: "scale" }, this.ramp);
    for (const [share, label] of marks) {
      const tick = el("span", {}, label);
      tick.style.left = `${100 * share}%`;
      scale.append(tick);
    }
    this.element = el("div", { class: "scale-box" }, el("span", { class: "scale-title" }, "entry"), scale);
  }

  /** In the colors of the present theme. */
  paint(): void {
    this.ramp.style.background = divergingGradient(currentTheme());
  }
}

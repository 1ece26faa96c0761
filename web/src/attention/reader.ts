// The sequence as tokens, a row a copy of the block, shaded by where the chosen query looks.

import type { Sequence } from "../data";
import { el, swatch } from "../dom";
import type { Theme } from "../theme";
import { weightAt, type Triangle } from "./decode";
import { isCorrect, type Cell } from "./draw";

const unblocked = 32; // tokens in a row where there are no blocks
const widest = 64;

export class Reader {
  readonly element = el("div", { class: "reader" });
  private readonly title = el("p", { class: "reader-title" });
  private readonly grid = el("div", { class: "token-grid", "aria-hidden": "true" });
  private cells: HTMLElement[] = [];
  private length = -1;

  constructor(private sequence: Sequence) {
    this.element.append(this.title, this.grid);
    this.build();
  }

  setSequence(sequence: Sequence): void {
    const same = JSON.stringify(sequence) === JSON.stringify(this.sequence);
    this.sequence = sequence;
    if (!same || this.length < 0) this.build();
  }

  private build(): void {
    const { tokens, period } = this.sequence;
    this.length = tokens.length;
    const columns = period > 0 && period <= widest ? period : unblocked;
    this.grid.style.setProperty("--columns", String(columns));
    this.cells = tokens.map((token, at) => el("span", { title: `position ${at}` }, String(token)));
    this.grid.replaceChildren(...this.cells);
  }

  draw(theme: Theme, color: string, title: string, triangle: Triangle | null, cell: Cell): void {
    const { query } = cell;
    const token = this.sequence.tokens[query];
    let best = 0;
    this.cells.forEach((place, source) => {
      const weight = triangle && source <= query ? weightAt(triangle, query, source) : 0;
      if (triangle && weight > weightAt(triangle, query, best)) best = source;
      const level = Math.round(255 * Math.sqrt(weight));
      const rgb = [0, 1, 2].map((channel) => theme.ramp[3 * level + channel] ?? 0);
      place.style.backgroundColor = source <= query ? `rgb(${rgb.join(" ")})` : "transparent";
      const inked = theme.dark ? level > 150 : level < 110;
      place.style.color = source > query ? "" : inked ? "#16202a" : "#f4f7fa";
      const kinds = [source === query ? "query" : "", isCorrect(this.sequence, query, source) ? "correct" : ""];
      place.className = `${source > query ? "later" : ""} ${kinds.join(" ")} ${source === cell.source ? "pointed" : ""}`;
    });
    const weight = triangle ? weightAt(triangle, query, best).toFixed(2) : "";
    this.title.replaceChildren(
      swatch(color),
      el("b", {}, title),
      triangle
        ? `: query ${query} (token ${token}) looks most at ${best} (token ${this.sequence.tokens[best]}), weight ${weight}` +
          (isCorrect(this.sequence, query, best) ? ", a correct source" : "")
        : "",
    );
  }
}

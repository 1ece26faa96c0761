// The place in training that the page shows: a slider over the checkpoints, with a play button.

import { el } from "./dom";
import { integer, tokens } from "./format";

const frameMilliseconds = 650;

export class Timeline {
  readonly element: HTMLElement;
  private readonly slider: HTMLInputElement;
  private readonly play: HTMLButtonElement;
  private readonly readout = el("output", { class: "now" });
  private readonly listeners: (() => void)[] = [];
  private timer: number | undefined;

  /** `checkpoints`: token counts, ascending, at least one. Starts at the last. */
  constructor(
    private readonly checkpoints: number[],
    ...others: HTMLElement[]
  ) {
    const last = String(checkpoints.length - 1);
    this.slider = el("input", {
      type: "range",
      id: "checkpoint",
      min: "0",
      max: last,
      step: "1",
      value: last,
      "aria-label": "Checkpoint",
    });
    this.play = el("button", { type: "button", class: "play" });
    this.play.addEventListener("click", () => (this.timer === undefined ? this.start() : this.stop()));
    this.slider.addEventListener("input", () => {
      this.stop();
      this.changed();
    });
    this.element = el(
      "div",
      { class: "timeline", role: "group", "aria-label": "Place in training" },
      this.play,
      this.slider,
      this.readout,
      ...others,
    );
    this.stop();
    this.describe();
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  get index(): number {
    return Number(this.slider.value);
  }

  get tokens(): number {
    return this.checkpoints[this.index] ?? 0;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private goTo(index: number): void {
    this.slider.value = String(Math.max(0, Math.min(this.checkpoints.length - 1, index)));
    this.changed();
  }

  private changed(): void {
    this.describe();
    for (const listener of this.listeners) listener();
  }

  private describe(): void {
    const exact = this.tokens === 0 ? "before training" : `${integer(this.tokens)} tokens`;
    this.slider.setAttribute("aria-valuetext", exact);
    const range = this.checkpoints.length - 1;
    this.slider.style.setProperty("--done", `${range > 0 ? (100 * this.index) / range : 100}%`);
    this.readout.replaceChildren(
      el("b", {}, this.tokens === 0 ? "0" : tokens(this.tokens)),
      " tokens",
    );
    this.readout.title = exact;
  }

  private start(): void {
    if (this.index === this.checkpoints.length - 1) this.goTo(0);
    this.timer = window.setInterval(() => {
      this.goTo(this.index + 1);
      if (this.index === this.checkpoints.length - 1) this.stop();
    }, frameMilliseconds);
    this.label("Pause", "M5 3h4v14H5zM11 3h4v14h-4z");
  }

  private stop(): void {
    window.clearInterval(this.timer);
    this.timer = undefined;
    this.label("Play", "M6 3l11 7-11 7z");
  }

  private label(text: string, path: string): void {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 20 20");
    icon.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path);
    icon.append(shape);
    this.play.replaceChildren(icon, el("span", {}, text));
  }

  /** Arrow keys work anywhere but in controls, which have their own use for them. */
  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target as Element | null;
    if (target?.closest("input, select, textarea, button, canvas, summary, a")) return;
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    this.stop();
    this.goTo(this.index + step);
  }
}

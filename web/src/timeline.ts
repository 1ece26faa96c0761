// The place in training that the page shows: checkpoints on a log scale of tokens, and a play button.

import { el, svg } from "./dom";
import { integer, tokens } from "./format";
import { decadesOf, shareOf } from "./timeline_scale";

const frameMilliseconds = 480;
const wholeTrack = 10_000; // steps of the slider: fine enough for any pixel

/** A moment to mark on the track, in an arm's color. */
export interface Moment {
  tokens: number;
  color: string;
  title: string;
}

export class Timeline {
  readonly element: HTMLElement;
  private readonly slider: HTMLInputElement;
  private readonly play: HTMLButtonElement;
  private readonly readout = el("output", { class: "now" });
  private readonly ticks = el("div", { class: "ticks", "aria-hidden": "true" });
  private readonly listeners: (() => void)[] = [];
  private readonly preparers: ((tokens: number) => Promise<unknown>)[] = [];
  private checkpoints: number[] = [0];
  private at = 0;
  private playing = 0; // the number of the play that runs, 0 none
  private plays = 0;

  constructor() {
    this.slider = el("input", {
      type: "range",
      id: "checkpoint",
      min: "0",
      max: String(wholeTrack),
      step: "1",
      "aria-label": "Checkpoint",
    });
    this.play = el("button", { type: "button", class: "play" });
    this.play.addEventListener("click", () => (this.playing ? this.stop() : void this.start()));
    this.slider.addEventListener("input", () => {
      this.stop();
      this.goTo(this.nearest(Number(this.slider.value) / wholeTrack));
    });
    this.slider.addEventListener("keydown", (event) => this.onSliderKey(event));
    this.element = el(
      "div",
      { class: "timeline", role: "group", "aria-label": "Place in training" },
      this.play,
      el("div", { class: "track" }, this.ticks, this.slider),
      this.readout,
    );
    this.label(false);
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  get index(): number {
    return this.at;
  }

  get tokens(): number {
    return this.checkpoints[this.at] ?? 0;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** `prepare` gets ready what a checkpoint needs: play waits for it, so that no frame comes late. */
  beforePlaying(prepare: (tokens: number) => Promise<unknown>): void {
    this.preparers.push(prepare);
  }

  /**
   * Token counts, ascending, at least one. The chosen one stays chosen; at the newest the reader
   * stays with the newest.
   */
  setCheckpoints(checkpoints: number[], moments: Moment[]): void {
    const newest = this.at === this.checkpoints.length - 1;
    const chosen = this.tokens;
    this.checkpoints = checkpoints;
    const found = checkpoints.findLastIndex((one) => one <= chosen);
    this.at = newest ? checkpoints.length - 1 : Math.max(0, found);
    this.drawTicks(moments);
    this.describe();
  }

  private goTo(index: number): void {
    this.at = Math.max(0, Math.min(this.checkpoints.length - 1, index));
    this.describe();
    for (const listener of this.listeners) listener();
  }

  private nearest(share: number): number {
    const away = this.checkpoints.map((one) => Math.abs(shareOf(one, this.checkpoints) - share));
    return away.indexOf(Math.min(...away));
  }

  private describe(): void {
    const share = shareOf(this.tokens, this.checkpoints);
    this.slider.value = String(Math.round(share * wholeTrack));
    const exact = this.tokens === 0 ? "before training" : `${integer(this.tokens)} tokens`;
    const place = `checkpoint ${this.at + 1} of ${this.checkpoints.length}`;
    this.slider.setAttribute("aria-valuetext", `${exact}, ${place}`);
    this.slider.style.setProperty("--done", `${100 * share}%`);
    this.element.dataset.checkpoint = String(this.at);
    const shown = this.tokens === 0 ? "0" : tokens(this.tokens);
    this.readout.replaceChildren(el("b", {}, shown), " tokens");
    this.readout.title = exact;
  }

  private drawTicks(moments: Moment[]): void {
    const placed = (mark: HTMLElement, value: number) => {
      mark.style.setProperty("--at", String(shareOf(value, this.checkpoints)));
      return mark;
    };
    this.ticks.replaceChildren(
      ...this.checkpoints.map((one) => placed(el("i", { class: "tick" }), one)),
      ...decadesOf(this.checkpoints).map((one) => placed(el("span", {}, one === 0 ? "0" : tokens(one).replace(/\.0+(?=\D|$)/, "")), one)),
      ...moments.map(({ tokens: value, color, title }) => {
        const mark = el("i", { class: "moment", title });
        mark.style.backgroundColor = color;
        return placed(mark, value);
      }),
    );
  }

  private async start(): Promise<void> {
    const play = (this.playing = ++this.plays);
    this.label(true);
    const ready = (index: number) =>
      Promise.allSettled(this.preparers.map((prepare) => prepare(this.checkpoints[index] ?? 0)));
    if (this.at === this.checkpoints.length - 1) {
      await ready(0);
      if (this.playing !== play) return;
      this.goTo(0);
    }
    while (this.playing === play && this.at < this.checkpoints.length - 1) {
      const pause = new Promise((resolve) => window.setTimeout(resolve, frameMilliseconds));
      await Promise.all([ready(this.at + 1), pause]);
      if (this.playing !== play) return;
      this.goTo(this.at + 1);
    }
    if (this.playing === play) this.stop();
  }

  private stop(): void {
    this.playing = 0;
    this.label(false);
  }

  private label(playing: boolean): void {
    const path = playing ? "M5 3h4v14H5zM11 3h4v14h-4z" : "M6 3l11 7-11 7z";
    const icon = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: path }));
    this.play.replaceChildren(icon, el("span", {}, playing ? "Pause" : "Play"));
  }

  /** The slider's own steps would be those of its pixels: a key goes to the next checkpoint. */
  private onSliderKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves: Record<string, number> = {
      ArrowRight: this.at + 1,
      ArrowUp: this.at + 1,
      ArrowLeft: this.at - 1,
      ArrowDown: this.at - 1,
      PageUp: this.at + 4,
      PageDown: this.at - 4,
      Home: 0,
      End: this.checkpoints.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.stop();
    this.goTo(to);
  }

  /** Arrow keys work anywhere but in controls, which have their own use for them. */
  private onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target as Element | null;
    if (target?.closest("input, select, textarea, button, canvas, summary, a, [role=radio]")) return;
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || !this.element.isConnected) return;
    event.preventDefault();
    this.stop();
    this.goTo(this.at + step);
  }
}

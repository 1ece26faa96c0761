// One arm's heads at one checkpoint: thumbnails to choose from, and one of them enlarged.

import { menuOf } from "../charts/choice";
import { showFailure } from "../charts/specification";
import type { CheckpointMaps, HeadMap, RunMaps, StudyData } from "../data";
import { el, swatch } from "../dom";
import { decimal, tokens as printTokens } from "../format";
import { saveBar } from "../save/toolbar";
import { currentTheme } from "../theme";
import { decodeTriangle, weightAt, type Triangle } from "./decode";
import { imageOf, MapCanvas, type Cell } from "./draw";
import { Reader } from "./reader";
import { mapFigure } from "./save";

const decoded = new WeakMap<HeadMap, Promise<Triangle>>();

function triangleOf(head: HeadMap, length: number): Promise<Triangle> {
  let triangle = decoded.get(head);
  if (!triangle) decoded.set(head, (triangle = decodeTriangle(head.map, length)));
  return triangle;
}

/** The run's checkpoint at `tokens`, or its last one before, should the run have ended early. */
function checkpointAt(run: RunMaps | undefined, tokens: number): CheckpointMaps | undefined {
  return run?.checkpoints.findLast((checkpoint) => checkpoint.tokens <= tokens);
}

const nameOf = (head: HeadMap) => head.label || `layer ${head.layer}, head ${head.head}`;

export class Pane {
  readonly element = el("section", { class: "pane" });
  readonly map: MapCanvas;
  readonly reader: Reader;
  private readonly head = el("div", { class: "pane-head" });
  private readonly thumbs = el("div", { class: "thumbs", role: "radiogroup", "aria-label": "Heads" });
  private readonly scores = el("p", { class: "scores" });
  private readonly failure = el("div");
  private run: RunMaps | undefined;
  private chosen: string | null = null; // a head's name
  private checkpoint: CheckpointMaps | undefined;
  private triangle: Triangle | null = null;
  private tokens = 0;
  private turn = 0;

  /** `side`: "left" or "right"; `changed` hears when a menu or a thumbnail is chosen. */
  constructor(
    private study: StudyData,
    private readonly side: string,
    private arm: number,
    private seed: number,
    private readonly changed: () => void,
  ) {
    this.map = new MapCanvas(study.sequence);
    this.reader = new Reader(study.sequence);
    this.thumbs.addEventListener("keydown", (event) => this.onKey(event));
    const saved = mapFigure(() => ({
      study: this.study,
      arm: this.armName,
      seed: this.seed,
      tokens: this.checkpoint?.tokens ?? this.tokens,
      head: this.shownHead(),
      triangle: this.triangle,
    }));
    this.element.append(
      this.head,
      this.thumbs,
      this.scores,
      el("div", { class: "map" }, this.map.element),
      this.failure,
      saveBar(`the ${side} attention map`, saved),
    );
    this.update(study);
  }

  get armName(): string {
    return this.study.arms[this.arm]?.name ?? "";
  }

  get armColor(): string {
    return this.study.arms[this.arm]?.color ?? "#5B646D";
  }

  get headName(): string {
    const head = this.shownHead();
    return head ? nameOf(head) : "";
  }

  /** Takes a newer study: arm, seed and head stay as they were chosen. */
  update(study: StudyData): void {
    this.study = study;
    this.map.setSequence(study.sequence);
    this.reader.setSequence(study.sequence);
    const runs = study.attention;
    const run = runs.find((one) => one.arm === this.arm && one.seed === this.seed);
    this.run = run ?? runs.find((one) => one.arm === this.arm) ?? runs[0];
    this.arm = this.run?.arm ?? 0;
    this.seed = this.run?.seed ?? 0;
    this.fillHead();
  }

  weight({ query, source }: Cell): number | null {
    return this.triangle && source !== null ? weightAt(this.triangle, query, source) : null;
  }

  /** Decodes what `tokens` needs, so that showing it takes no time. */
  async prepare(tokens: number): Promise<void> {
    const heads = checkpointAt(this.run, tokens)?.heads ?? [];
    await Promise.allSettled(heads.map((head) => triangleOf(head, this.length)));
  }

  /** Shows the maps at `tokens`; of calls that overlap only the last one draws. */
  async show(tokens: number): Promise<boolean> {
    this.tokens = tokens;
    const turn = ++this.turn;
    const checkpoint = checkpointAt(this.run, tokens);
    const heads = checkpoint?.heads ?? [];
    const found = await Promise.allSettled(heads.map((head) => triangleOf(head, this.length)));
    if (turn !== this.turn) return false;
    this.checkpoint = checkpoint;
    const at = this.chosenIndex();
    this.fillThumbs(heads, found, at);
    const one = found[at];
    this.triangle = one?.status === "fulfilled" ? one.value : null;
    this.map.element.hidden = this.triangle === null;
    this.failure.replaceChildren();
    if (one?.status === "rejected") showFailure(this.failure, one.reason);
    const theme = currentTheme();
    this.map.setImage(this.triangle ? imageOf(this.triangle, this.length, theme) : null);
    this.map.element.setAttribute(
      "aria-label",
      `Attention map of ${this.headName} in ${this.armName} after ${printTokens(tokens)} tokens`,
    );
    this.scores.replaceChildren(el("b", {}, this.headName), ...scoresOf(heads[at]), noteOf(checkpoint, tokens));
    return true;
  }

  draw(marked: boolean, cell: Cell): void {
    this.map.draw(currentTheme(), marked, cell);
    const title = `${this.armName}, ${this.headName}`;
    this.reader.draw(currentTheme(), this.armColor, title, this.triangle, cell);
  }

  private get length(): number {
    return this.study.sequence.tokens.length;
  }

  private shownHead(): HeadMap | undefined {
    return this.checkpoint?.heads[this.chosenIndex()];
  }

  /** The chosen head, or at first the one that scored best in the end. */
  private chosenIndex(): number {
    const heads = this.run?.checkpoints.at(-1)?.heads ?? [];
    const found = heads.findIndex((head) => nameOf(head) === this.chosen);
    if (found >= 0) return found;
    const scores = heads.map((head) => head.induction ?? -1);
    return Math.max(0, scores.indexOf(Math.max(...scores)));
  }

  private choose(index: number): void {
    const head = this.run?.checkpoints.at(-1)?.heads[index];
    if (!head) return;
    this.chosen = nameOf(head);
    this.changed();
  }

  private fillThumbs(heads: HeadMap[], found: PromiseSettledResult<Triangle>[], at: number): void {
    while (this.thumbs.children.length > heads.length) this.thumbs.lastChild?.remove();
    heads.forEach((head, index) => {
      const button = (this.thumbs.children[index] as HTMLElement | undefined) ?? this.newThumb(index);
      const score = head.induction === null ? "" : `, induction score ${head.induction.toFixed(2)}`;
      button.setAttribute("aria-label", `${nameOf(head)}${score}`);
      button.title = `${nameOf(head)}${score}`;
      button.setAttribute("aria-checked", String(index === at));
      button.tabIndex = index === at ? 0 : -1;
      const label = el("span", {}, `${head.layer}.${head.head}`);
      const one = found[index];
      if (one?.status !== "fulfilled") return button.replaceChildren(el("i", {}, "!"), label);
      const old = button.querySelector("canvas");
      const image = imageOf(one.value, this.length, currentTheme());
      if (old) old.replaceWith(image);
      else button.replaceChildren(image, label);
    });
  }

  private newThumb(index: number): HTMLElement {
    const button = el("button", { type: "button", role: "radio", class: "thumb" });
    button.addEventListener("click", () => this.choose(index));
    this.thumbs.append(button);
    return button;
  }

  private onKey(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[event.key];
    const count = this.thumbs.children.length;
    if (!step || count === 0) return;
    event.preventDefault();
    const to = (this.chosenIndex() + step + count) % count;
    this.choose(to);
    (this.thumbs.children[to] as HTMLElement).focus();
  }

  private fillHead(): void {
    const arms = [...new Set(this.study.attention.map((run) => run.arm))].sort((a, b) => a - b);
    const seeds = this.study.attention.filter((run) => run.arm === this.arm).map((run) => run.seed);
    const names = arms.map((arm) => ({ value: String(arm), label: this.study.arms[arm]?.name ?? "" }));
    const armMenu = menuOf("Arm", names, String(this.arm), (value) => {
      this.arm = Number(value);
      this.rerun();
    });
    const numbers = seeds.map((seed) => ({ value: String(seed), label: String(seed) }));
    const seedMenu = menuOf("Seed", numbers, String(this.seed), (value) => {
      this.seed = Number(value);
      this.rerun();
    });
    armMenu.querySelector("select")?.setAttribute("aria-label", `Arm on the ${this.side}`);
    seedMenu.querySelector("select")?.setAttribute("aria-label", `Seed on the ${this.side}`);
    const alone = armMenu.hidden ? el("b", {}, this.armName) : null;
    const had = this.head.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-key")
      : null;
    this.head.replaceChildren(swatch(this.armColor), ...(alone ? [alone] : []), armMenu, seedMenu);
    if (had) this.head.querySelector<HTMLElement>(`[data-key="${had}"]`)?.focus();
  }

  private rerun(): void {
    this.update(this.study);
    this.changed();
  }
}

function noteOf(checkpoint: CheckpointMaps | undefined, tokens: number): string {
  if (!checkpoint) return "no map here";
  return checkpoint.tokens === tokens ? "" : `at ${printTokens(checkpoint.tokens)} tokens`;
}

function scoresOf(head: HeadMap | undefined): HTMLElement[] {
  const scores: HTMLElement[] = [];
  const add = (name: string, value: number | null | undefined) => {
    if (typeof value === "number") scores.push(el("span", {}, `${name} ${decimal(value)}`));
  };
  add("induction", head?.induction);
  add("previous token", head?.previous);
  return scores;
}

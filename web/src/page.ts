// The page: lays out its sections and hands each a newer study, whether it comes once or live.

import type { Chart } from "./charts/chart";
import { showFailure } from "./charts/specification";
import { configuration } from "./configuration";
import type { StudyData } from "./data";
import { el, refill, swatch } from "./dom";
import { numberFigures } from "./figure";
import { Figures } from "./figures";
import { footer, header } from "./header";
import { LedgerSection } from "./ledger/section";
import { LensSection } from "./lens/section";
import { ProgressSection } from "./live/progress";
import { outcome } from "./outcome";
import { onThemeChange } from "./theme";
import { ThroughSection } from "./through";

/** All that the header depends on. */
function headerData({ name, question, description, tokens, threads, arms }: StudyData): unknown {
  return [name, question, description, tokens, threads, arms.map((arm) => arm.runs.map((run) => run.seed))];
}

/** Beside the verdicts both curves must stand in the first screen. */
const lowCurve = 178;
/** So many of them stand beside the verdicts; further ones below. */
const mainCurves = 2;

/** From this arm on colors come again, and lines are dashed: arm_color in lookback/report/colors.h. */
const colors = 7;

/** The arms, or of a sweep its numbers. */
function legendOf({ arms, legend }: StudyData): HTMLElement[] {
  const entries = legend?.entries ?? arms.map(({ name, color }, index) => ({ label: name, color, dashed: index >= colors }));
  const items = entries.map(({ label, color, dashed }) =>
    el("li", dashed ? { class: "dashed" } : {}, swatch(color), label));
  return legend ? [el("li", { class: "legend-title" }, legend.title), ...items] : items;
}

export class Page {
  private readonly header = el("div");
  private readonly first = el("div", { class: "first" });
  private readonly ledger = new LedgerSection();
  private readonly curves = el("div", { class: "pair" });
  private readonly legend = el("ul", { class: "arms-legend", "aria-label": "Arms" });
  private readonly outcome = el("div");
  private readonly ended = el("div", { class: "pair" });
  private readonly progress = new ProgressSection();
  private readonly figures = new Figures();
  private readonly through = new ThroughSection(this.figures);
  private readonly lensPlace = el("div", { class: "lens-place" });
  private readonly tail = el("div");
  private readonly texts = new Map<HTMLElement, string>();
  private lens: LensSection | null = null;

  /** `badge` stands beside the study's name. */
  constructor(
    private readonly page: HTMLElement,
    private readonly badge: HTMLElement | null,
  ) {
    const curves = el(
      "section",
      { class: "curves", "aria-labelledby": "curves" },
      el("h2", { id: "curves" }, "What was learned, and when"),
      this.legend,
      this.curves,
    );
    this.first.append(this.ledger.element, curves);
    page.replaceChildren(
      this.header,
      this.progress.element,
      this.first,
      el("section", { class: "outcome-place" }, this.outcome, this.ended),
      this.through.element,
      this.lensPlace,
      this.tail,
    );
    onThemeChange(() => this.draw());
  }

  /** Shows a study, or a newer state of it. What the reader chose stays. */
  show(study: StudyData): void {
    if (study.name) document.title = `${study.name} \u00b7 lookback`;
    this.attempt(this.header, () => this.fill(this.header, headerData(study), () => header(study, this.badge)));
    this.attempt(this.progress.element, () => this.progress.update(study));
    this.attempt(this.ledger.element, () => this.ledger.update(study));
    this.attempt(this.outcome, () => this.fill(this.outcome, study.arms, () => outcome(study)));
    const fresh = this.figures.update(study);
    this.place(study.ledger !== null);
    this.legend.replaceChildren(...legendOf(study));
    this.attempt(this.through.element, () => this.through.update(study, this.figures.in("through")));
    this.attempt(this.lensPlace, () => this.showLens(study));
    this.attempt(this.tail, () =>
      this.fill(this.tail, [study.arms, study.notes], () => el("div", {}, configuration(study), footer(study))),
    );
    numberFigures(this.page);
    for (const chart of fresh) void chart.draw();
  }

  private showLens(study: StudyData): void {
    if (this.lens) return this.lens.update(study);
    if (study.lens.length === 0) return;
    this.lens = new LensSection(study, () => numberFigures(this.page));
    this.lensPlace.append(this.lens.element);
    this.lens.draw();
  }

  /** What fails says so in its place, and the rest of the page is shown all the same. */
  private attempt(place: HTMLElement, show: () => void): void {
    place.querySelector(":scope > .part-failure")?.remove();
    try {
      show();
    } catch (error) {
      const said = el("div", { class: "part-failure" });
      showFailure(said, error);
      place.append(said);
      place.hidden = false;
    }
  }

  private draw(): void {
    for (const chart of this.figures.all()) void chart.draw();
    this.lens?.draw();
  }

  /** Beside verdicts stand the two main curves; without verdicts all curves, after the outcome. Of a sweep what it comes to is first. */
  private place(verdicts: boolean): void {
    const curves = [...this.figures.in("sweep"), ...this.figures.in("curves")];
    const main = verdicts ? curves.slice(0, mainCurves) : curves;
    for (const chart of main) chart.makeCompact(verdicts ? lowCurve : null);
    this.arrange(this.curves, main);
    this.arrange(this.ended, [...curves.slice(main.length), ...this.figures.in("end")]);
    this.first.classList.toggle("with-verdicts", verdicts);
    this.legend.hidden = !verdicts;
  }

  private arrange(place: HTMLElement, charts: Chart[]): void {
    const same = charts.length === place.children.length;
    if (same && charts.every((chart, at) => chart.element === place.children[at])) return;
    place.replaceChildren(...charts.map((chart) => chart.element));
  }

  /** Fills a place anew where what it depends on has changed. */
  private fill(place: HTMLElement, depends: unknown, make: () => HTMLElement): void {
    const text = JSON.stringify(depends);
    if (this.texts.get(place) === text) return;
    this.texts.set(place, text);
    refill(place, make());
  }
}

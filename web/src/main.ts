// The page: reads the study, lays out its sections and connects the slider to the figures.

import { AttentionViewer } from "./attention/viewer";
import { Chart } from "./charts";
import { configuration } from "./configuration";
import { readStudy, type FigureData, type StudyData } from "./data";
import { el } from "./dom";
import { footer, header } from "./header";
import { LensSection } from "./lens/section";
import { outcome } from "./outcome";
import { onThemeChange } from "./theme";
import { Timeline } from "./timeline";

const steered = "loss-by-position"; // the figure that shows one checkpoint

function curvesSection(charts: Chart[]): HTMLElement {
  return el(
    "section",
    { "aria-labelledby": "curves" },
    el("h2", { id: "curves" }, "What was learned, and when"),
    el("div", { class: "pair" }, ...charts.map((chart) => chart.element)),
  );
}

function throughSection(timeline: Timeline, parts: HTMLElement[]): HTMLElement {
  return el(
    "section",
    { class: "through", "aria-labelledby": "through" },
    el("h2", { id: "through" }, "Through training"),
    el(
      "p",
      { class: "hint" },
      "The slider chooses the checkpoint for every figure below and marks it in the figures above. " +
        "The left and right arrow keys move it too.",
    ),
    timeline.element,
    ...parts,
  );
}

function show(study: StudyData, page: HTMLElement): void {
  page.append(header(study), outcome(study));

  const longest = Math.max(0, ...study.arms.map((arm) => arm.name.length));
  const isSteered = (figure: FigureData) => figure.id === steered;
  const ordered = [
    ...study.figures.filter((figure) => !isSteered(figure)),
    ...study.figures.filter(isSteered),
  ];
  const charts = ordered.map((figure, index) => ({
    steered: isSteered(figure),
    chart: new Chart(figure, index + 1, longest),
  }));
  page.append(curvesSection(charts.filter((one) => !one.steered).map((one) => one.chart)));
  let number = charts.length + 1; // of the next figure

  if (study.checkpoints.length > 0) {
    const viewer = study.attention.length > 0 ? new AttentionViewer(study, number) : null;
    if (viewer) ++number;
    const timeline = new Timeline(study.checkpoints, ...(viewer ? [viewer.seedChoice] : []));
    const parts = charts.filter((one) => one.steered).map((one) => one.chart.element);
    if (viewer) parts.push(viewer.element);
    page.append(throughSection(timeline, parts));

    const update = () => {
      for (const { chart, steered: isOne } of charts) {
        if (isOne) chart.set("checkpoint", timeline.index);
        else if (chart.has("cursor")) chart.set("cursor", timeline.tokens);
      }
      void viewer?.show(timeline.tokens);
    };
    timeline.onChange(update);
    update();
  }
  const lens = study.lens.length > 0 ? new LensSection(study, number) : null;
  if (lens) page.append(lens.element);
  const arms = configuration(study);
  if (arms) page.append(arms);
  page.append(footer(study));

  const draw = () => {
    for (const { chart } of charts) void chart.draw();
    lens?.draw();
  };
  draw();
  onThemeChange(draw);
}

const page = document.getElementById("page");
const study = readStudy();
if (page && study) show(study, page);
else page?.append(el("p", {}, "This page has no study in it: lookback report DIR fills it."));

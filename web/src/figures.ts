// The study's figures, each kept as long as it is there, and in which section each stands.

import { Chart, type Surroundings } from "./charts/chart";
import { paramNames } from "./charts/specification";
import type { FigureData, StudyData } from "./data";

/** What moves a figure says where it stands. */
type Place = "sweep" | "curves" | "through" | "end";

function placeOf(figure: FigureData): Place {
  if (figure.id.startsWith("sweep-")) return "sweep";
  const params = figure.variants.flatMap((variant) => paramNames(variant.spec));
  if (params.includes("checkpoint")) return "through";
  return params.includes("cursor") ? "curves" : "end";
}

export function surroundingsOf(study: StudyData): Surroundings {
  return { study: study.name, longest: Math.max(0, ...study.arms.map((arm) => arm.name.length)) };
}

export class Figures {
  private readonly charts = new Map<string, { chart: Chart; place: Place }>();
  private order: string[] = [];

  /** Takes newer figures; returns those that have to be drawn for the first time. */
  update(study: StudyData): Chart[] {
    const surroundings = surroundingsOf(study);
    const fresh: Chart[] = [];
    this.order = study.figures.map((figure) => figure.id);
    for (const figure of study.figures) {
      const known = this.charts.get(figure.id);
      if (known) {
        known.place = placeOf(figure);
        known.chart.update(figure, surroundings);
      } else {
        const chart = new Chart(figure, surroundings);
        this.charts.set(figure.id, { chart, place: placeOf(figure) });
        fresh.push(chart);
      }
    }
    for (const [id, { chart }] of this.charts) {
      if (this.order.includes(id)) continue;
      chart.release();
      this.charts.delete(id);
    }
    return fresh;
  }

  /** In the order of the study. */
  in(place: Place): Chart[] {
    const all = this.order.map((id) => this.charts.get(id));
    return all.flatMap((one) => (one?.place === place ? [one.chart] : []));
  }

  all(): Chart[] {
    return [...this.charts.values()].map((one) => one.chart);
  }

  /** Sets the parameters of every figure that has them. */
  steer(checkpoint: number, tokens: number): void {
    for (const chart of this.all()) {
      if (chart.has("checkpoint")) chart.set("checkpoint", checkpoint);
      if (chart.has("cursor")) chart.set("cursor", tokens);
    }
  }
}

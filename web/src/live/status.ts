// Whether the page is still told what happens.

import { el } from "../dom";
import type { Connection } from "./source";

const texts = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, trying again",
  finished: "finished",
};

export class StatusBadge {
  readonly element = el("p", { class: "status-badge", role: "status" });

  show(connection: Connection, finished: boolean): void {
    const state = connection === "live" && finished ? "finished" : connection;
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    this.element.replaceChildren(el("i", { "aria-hidden": "true" }), texts[state]);
  }
}

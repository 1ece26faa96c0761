// Where the page begins: with the study that it holds, or with one that is served to it.

import { readPage, wholeStudy, type StudyData } from "./data";
import { el } from "./dom";
import { LiveSource, type Connection } from "./live/source";
import { StatusBadge } from "./live/status";
import { Page } from "./page";

function showLive(place: HTMLElement): void {
  const badge = new StatusBadge();
  const waiting = el(
    "div",
    { class: "waiting" },
    el("p", { class: "overline" }, "lookback study"),
    el("h1", {}, "Waiting for the study to begin"),
    el("p", { class: "lead" }, "The page fills as soon as there is something to show; nothing need be done here."),
    badge.element,
  );
  place.replaceChildren(waiting);
  let page: Page | null = null;
  let known: Partial<StudyData> = {};
  let connection: Connection = "connecting";
  const say = () => badge.show(connection, page !== null && known.progress === null);
  new LiveSource({
    connection: (state) => {
      connection = state;
      say();
    },
    parts: (parts) => {
      for (const [name, part] of parts) {
        known = name === "study" ? { ...known, ...(part as Partial<StudyData>) } : { ...known, [name]: part };
      }
      if (!known.arms) return;
      page ??= new Page(place, badge.element);
      page.show(wholeStudy(known));
      say();
    },
  });
  say();
}

const place = document.getElementById("page");
const found = readPage();
if (place && found === "live") showLive(place);
else if (place && found) new Page(place, null).show(found as StudyData);
else place?.append(el("p", {}, "This page has no study in it: lookback report DIR fills it."));

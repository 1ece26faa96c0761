// The verdicts: how many of each, and a row a claim.

import type { Ledger, StudyData } from "../data";
import { el, refill } from "../dom";
import { claimRow } from "./claim";
import { markOf, verdictNames } from "./mark";

const short: Record<string, string> = { "not tested at this size": "not tested" };

function tally(ledger: Ledger): HTMLElement {
  const counted = verdictNames()
    .map((verdict) => ({ verdict, count: ledger.claims.filter((one) => one.verdict === verdict).length }))
    .filter((one) => one.count > 0)
    .map(({ verdict, count }) =>
      el("li", {}, markOf(verdict), el("b", {}, String(count)), ` ${short[verdict] ?? verdict}`),
    );
  const late = ledger.claims.filter((one) => one.stated?.mark).length;
  if (late > 0) counted.push(el("li", { class: "late" }, `${late} stated late`));
  return el("ul", { class: "tally", "aria-label": "How many of each verdict" }, ...counted);
}

export class LedgerSection {
  readonly element = el("section", { class: "ledger", "aria-labelledby": "ledger" });
  private shown = "";

  /** Takes a newer ledger; claims that are open stay open. */
  update(study: StudyData): void {
    const { ledger } = study;
    this.element.hidden = !ledger;
    const text = JSON.stringify(ledger);
    if (!ledger || text === this.shown) return;
    this.shown = text;
    const question = ledger.question && ledger.question !== study.question ? ledger.question : "";
    refill(
      this.element,
      el("div", { class: "ledger-head" }, el("h2", { id: "ledger" }, "Verdicts"), tally(ledger)),
      question ? el("p", { class: "hint" }, question) : null,
      el("div", { class: ledger.claims.length > 10 ? "claims many" : "claims" }, ...ledger.claims.map(claimRow)),
    );
  }
}

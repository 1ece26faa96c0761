// What all figures share: captions with numbers in the order of the page.

import { el } from "./dom";

/** Fills a caption; its number comes with `numberFigures`. */
export function captionOf(place: HTMLElement, text: string): void {
  place.replaceChildren(el("b", { class: "figure-number" }), " ", text);
}

export function newCaption(text: string): HTMLElement {
  const caption = el("figcaption");
  captionOf(caption, text);
  return caption;
}

/** A caption of one line until the reader asks for all of it. */
export function foldCaption(caption: HTMLElement, folded: boolean): void {
  caption.parentElement?.querySelector(".caption-more")?.remove();
  caption.classList.toggle("folded", folded);
  if (!folded) return;
  const more = el("button", { type: "button", class: "caption-more", "aria-expanded": "false" }, "more");
  more.addEventListener("click", () => {
    const open = caption.classList.toggle("folded");
    more.textContent = open ? "more" : "less";
    more.setAttribute("aria-expanded", String(!open));
  });
  caption.after(more);
}

/** Numbers the captions of the page in their order. */
export function numberFigures(page: ParentNode): void {
  page.querySelectorAll(".figure-number").forEach((place, index) => {
    place.textContent = `Figure ${index + 1}.`;
  });
}

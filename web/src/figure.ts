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

/** Numbers the captions of the page in their order. */
export function numberFigures(page: ParentNode): void {
  page.querySelectorAll(".figure-number").forEach((place, index) => {
    place.textContent = `Figure ${index + 1}.`;
  });
}

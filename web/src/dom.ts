// Making elements. Text only ever enters the page as text nodes, so names cannot carry markup.

import { cssColor } from "./theme";

type Child = Node | string | null;

/** An element with attributes ("class", "aria-label", ...) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** A small square in an arm's color, hidden from screen readers: the name stands beside it. */
export function swatch(color: string): HTMLElement {
  const square = el("span", { class: "swatch", "aria-hidden": "true" });
  square.style.backgroundColor = cssColor(color);
  return square;
}

/** Text for screen readers alone. */
export function spoken(text: string): HTMLElement {
  return el("span", { class: "spoken" }, text);
}

const svgSpace = "http://www.w3.org/2000/svg";

/** An element of a drawing, with attributes and children. */
export function svg(tag: string, attributes: Record<string, string>, ...children: Child[]): SVGElement {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** Fills a place anew; what had the focus and a data-key keeps it, and open details stay open. */
export function refill(place: HTMLElement, ...children: Child[]): void {
  const focused = keyOf(place.contains(document.activeElement) ? document.activeElement : null);
  const open = new Set([...place.querySelectorAll("details[open]")].map(keyOf));
  place.replaceChildren(...children.filter((child) => child !== null));
  for (const element of place.querySelectorAll<HTMLElement>("[data-key]")) {
    const key = keyOf(element);
    if (element instanceof HTMLDetailsElement && open.has(key)) element.open = true;
    if (key === focused) element.focus({ preventScroll: true });
  }
}

function keyOf(element: Element | null): string | null {
  return element?.getAttribute("data-key") ?? null;
}

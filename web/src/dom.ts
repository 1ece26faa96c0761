// Making elements. Text only ever enters the page as text nodes, so names cannot carry markup.

import { currentTheme, onThemeChange, shownColor } from "./theme";

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
  const paint = () => {
    square.style.backgroundColor = shownColor(color, currentTheme());
  };
  paint();
  onThemeChange(paint);
  return square;
}

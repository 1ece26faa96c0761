// Buttons of which one is chosen.

import { el } from "../dom";

/** `chosen` hears of the choice; `present` is chosen at first. */
export function choiceOf(
  name: string,
  legend: string,
  labels: string[],
  chosen: (index: number) => void,
  present = 0,
): HTMLElement {
  const group = el("fieldset", { class: "choice" }, el("legend", {}, legend));
  labels.forEach((label, index) => {
    const input = el("input", {
      type: "radio",
      name,
      value: String(index),
      "data-key": `${name}-${index}`,
    });
    input.checked = index === present;
    input.addEventListener("change", () => chosen(index));
    group.append(el("label", {}, input, el("span", {}, label)));
  });
  return group;
}

/** A labelled menu; hidden where there is nothing to choose. */
export function menuOf(
  label: string,
  options: { value: string; label: string }[],
  present: string,
  chosen: (value: string) => void,
): HTMLLabelElement {
  const select = el(
    "select",
    { "data-key": `menu-${label}` },
    ...options.map((option) => el("option", { value: option.value }, option.label)),
  );
  select.value = present;
  select.addEventListener("change", () => chosen(select.value));
  const element = el("label", { class: "menu" }, `${label} `, select);
  element.hidden = options.length < 2;
  return element;
}

// The small toolbar of a figure: saves it as a drawing, as pixels, as a specification, as data.

import { el } from "../dom";
import { download } from "./download";

export interface Savable {
  /** The name of its files, without an extension. */
  name: () => string;
  svg: () => Promise<string>;
  png: () => Promise<Blob>;
  specification: () => Promise<unknown>;
  csv: () => Promise<string>;
}

const text = (content: string, type: string) => new Blob([content], { type });

const kinds: { label: string; says: string; extension: string; make: (f: Savable) => Promise<Blob> }[] = [
  {
    label: "SVG",
    says: "as SVG",
    extension: "svg",
    make: async (figure) => text(await figure.svg(), "image/svg+xml"),
  },
  { label: "PNG", says: "as PNG", extension: "png", make: (figure) => figure.png() },
  {
    label: "Vega-Lite",
    says: "as Vega-Lite specification",
    extension: "vl.json",
    make: async (figure) =>
      text(JSON.stringify(await figure.specification(), null, 1), "application/json"),
  },
  {
    label: "CSV",
    says: "data as CSV",
    extension: "csv",
    make: async (figure) => text(await figure.csv(), "text/csv"),
  },
];

export function saveBar(title: string, figure: Savable): HTMLElement {
  const said = el("span", { class: "save-failure", role: "alert" });
  const buttons = kinds.map(({ label, says, extension, make }) => {
    const name = `Save ${title} ${says}`;
    const button = el("button", { type: "button", title: `Save ${says}`, "aria-label": name }, label);
    button.addEventListener("click", () => {
      said.textContent = "";
      make(figure).then(
        (content) => download(`${figure.name()}.${extension}`, content),
        (error: unknown) => {
          said.textContent = `Not saved: ${error instanceof Error ? error.message : String(error)}`;
        },
      );
    });
    return button;
  });
  return el("div", { class: "save", role: "group", "aria-label": `Save ${title}` }, ...buttons, said);
}

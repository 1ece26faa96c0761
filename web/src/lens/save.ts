// Saving one circuit as a map.

import type { CircuitMatrix } from "../data";
import { heatMapFigure } from "../save/heat_map";
import type { Savable } from "../save/toolbar";
import { divergingStops, lightTheme } from "../theme";
import { entryAt, imageOf, type Matrix } from "./matrix";
import { wordsOf } from "./words";

export interface ShownMatrix {
  study: string;
  figure: string;
  variant: string;
  circuit: CircuitMatrix | undefined;
  matrix: Matrix | null;
}

export function matrixFigure(shown: () => ShownMatrix): Savable {
  const named = (): [string, string, string] => [shown().study, shown().figure, shown().variant];
  return heatMapFigure(async () => {
    const { circuit, matrix, study, figure, variant } = shown();
    if (!circuit || !matrix) throw new Error("there is no circuit here");
    const words = wordsOf(circuit);
    return {
      study,
      figure,
      variant,
      title: circuit.title,
      side: matrix.side,
      row: words.row,
      column: words.column,
      value: words.entry,
      at: (row, column) => entryAt(matrix, row, column),
      image: imageOf(matrix, lightTheme, matrix.scale),
      scale: { domain: [-matrix.scale, matrix.scale], range: divergingStops, interpolate: "rgb" },
    };
  }, named);
}

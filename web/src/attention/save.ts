// Saving one attention map.

import type { HeadMap, StudyData } from "../data";
import { tokens as printTokens } from "../format";
import { heatMapFigure } from "../save/heat_map";
import type { Savable } from "../save/toolbar";
import { lightTheme, rampStops } from "../theme";
import { weightAt, type Triangle } from "./decode";
import { imageOf } from "./draw";

export interface ShownMap {
  study: StudyData;
  arm: string;
  seed: number;
  tokens: number;
  head: HeadMap | undefined;
  triangle: Triangle | null;
}

export function mapFigure(shown: () => ShownMap): Savable {
  const named = (): [string, string, string] => {
    const { study, arm, seed, tokens, head } = shown();
    return [study.name, "attention", `${arm}-seed-${seed}-head-${head?.layer}.${head?.head}-${tokens}-tokens`];
  };
  return heatMapFigure(async () => {
    const { study, arm, seed, tokens, head, triangle } = shown();
    if (!triangle || !head) throw new Error("there is no map here");
    const side = study.sequence.tokens.length;
    const [name, figure, variant] = named();
    return {
      study: name,
      figure,
      variant,
      title: `${arm}, seed ${seed}, ${head.label}, ${printTokens(tokens)} tokens`,
      side,
      row: "query position",
      column: "source position",
      value: "attention weight",
      at: (query, source) => (source <= query ? weightAt(triangle, query, source) : null),
      image: imageOf(triangle, side, lightTheme),
      scale: { type: "sqrt", domain: [0, 1], range: rampStops },
    };
  }, named);
}

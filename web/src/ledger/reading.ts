// What a test of the ledger holds against what: docs/formats.md says what each key is.

import { numberOf, type ClaimTest, type ComparedWith, type SeedValue } from "../data";

/** A test as the page shows it. */
export interface Reading {
  /** Whether each seed's value is held against another value of the same seed. */
  paired: boolean;
  /** Whether it comes to a ratio. */
  byRatio: boolean;
  logarithmic: boolean;
  /** The other value, in words. */
  other: string;
  /** What a pair comes to: "ratio", "difference", or from what multiple of the other it is one. */
  effect: string;
  /** What the values, or the differences or ratios of a pair, must pass; of a band its two edges. */
  bounds: number[];
  byMean: boolean;
  /** Null where a seed never came to it: a mean of the others would mislead. */
  mean: number | null;
  /** Of the mean, where that decides. */
  interval: [number, number] | null;
}

/** What a run's figure is that it never came to. */
export const never = "never";

function otherText(test: ClaimTest, other: ComparedWith): string {
  const sameArm = other.arm === test.arm;
  const sameFinding = other.finding === test.finding;
  const name = sameArm && !sameFinding ? other.finding : `${other.arm}${sameFinding ? "" : ` ${other.finding}`}`;
  return name.replaceAll("_", " ");
}

/** A ratio is always to the other itself; a difference may be from a multiple of it, and then says so. */
function effectText(test: ClaimTest, other: ComparedWith): string {
  if (test.compared_by === "ratio") return "ratio";
  return other.times === 1 ? "difference" : `difference from ${other.times} \u00d7 ${otherText(test, other)}`;
}

export function readingOf(test: ClaimTest): Reading {
  const { compared_with: other, threshold } = test;
  const numbers = (Array.isArray(threshold) ? threshold : [threshold]).map(numberOf);
  const hasNever = test.seeds.some((seed) => seed.value === never || seed.other === never);
  const byMean = test.decided_by === "mean" || test.decided_by === "fit";
  return {
    byMean,
    mean: hasNever ? null : numberOf(test.mean),
    interval: byMean ? test.interval : null,
    paired: other !== null,
    byRatio: test.compared_by === "ratio",
    logarithmic: test.scale === "log",
    other: other ? otherText(test, other) : "",
    effect: other ? effectText(test, other) : "",
    bounds: numbers.filter((one) => one !== null),
  };
}

/**
 * What of a seed is held against the bounds: its value, or a difference or ratio; null for a word or
 * none. Never is later than any number: infinite, and another that never came makes it least.
 */
export function effectOf(seed: SeedValue, { paired }: Reading): number | null {
  if (!paired) return seed.value === never ? Infinity : numberOf(seed.value);
  const isNever = seed.value === never;
  if (isNever !== (seed.other === never)) return isNever ? Infinity : -Infinity;
  return numberOf(seed.effect);
}

// What a test of the ledger holds against what: docs/formats.md says what each key is.

import { numberOf, type ClaimTest, type ComparedWith, type SeedValue } from "../data";

/** A test as the page shows it. */
export interface Reading {
  /** Whether each seed's value is held against another value of the same seed. */
  paired: boolean;
  logarithmic: boolean;
  /** The other value, in words. */
  other: string;
  /** What the values, or the differences or ratios of a pair, must pass. */
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
  const times = other.times === 1 ? "" : `${other.times} \u00d7 `;
  const sameArm = other.arm === test.arm;
  const sameFinding = other.finding === test.finding;
  const name = sameArm && !sameFinding ? other.finding : `${other.arm}${sameFinding ? "" : ` ${other.finding}`}`;
  return `${times}${name}`.replaceAll("_", " ");
}

export function readingOf(test: ClaimTest): Reading {
  const { compared_with: other, threshold } = test;
  const numbers = (Array.isArray(threshold) ? threshold : [threshold]).map(numberOf);
  const hasNever = test.seeds.some((seed) => seed.value === never || seed.other === never);
  const byMean = test.decided_by === "mean";
  return {
    byMean,
    mean: hasNever ? null : numberOf(test.mean),
    interval: byMean ? test.interval : null,
    paired: other !== null,
    logarithmic: test.scale === "log",
    other: other ? otherText(test, other) : "",
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
  return numberOf(seed.difference);
}

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
}

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
  return {
    paired: other !== null,
    logarithmic: test.scale === "log",
    other: other ? otherText(test, other) : "",
    bounds: numbers.filter((one) => one !== null),
  };
}

/** What of a seed is held against the bounds: its value, or a difference or ratio; null for a word or none. */
export function effectOf(seed: SeedValue, { paired }: Reading): number | null {
  return numberOf(paired ? seed.difference : seed.value);
}

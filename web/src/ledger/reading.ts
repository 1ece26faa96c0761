// What a test of the ledger holds against what: see test_json in lookback/study/ledger.cc.

import { numberOf, type ClaimTest, type SeedValue } from "../data";

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

interface OtherFigure {
  arm?: string;
  finding?: string;
  times?: number;
  by?: number;
}

function otherText(test: ClaimTest, other: OtherFigure): string {
  const times = other.times === undefined || other.times === 1 ? "" : `${other.times} \u00d7 `;
  const sameArm = other.arm === test.arm;
  const sameFinding = other.finding === undefined || other.finding === test.finding;
  const name = sameArm && !sameFinding ? other.finding : `${other.arm ?? ""}${sameFinding ? "" : ` ${other.finding}`}`;
  return `${times}${name}`.replaceAll("_", " ");
}

export function readingOf(test: ClaimTest): Reading {
  const logarithmic = test.scale.startsWith("log");
  const { against } = test;
  if (against !== null && typeof against === "object" && !Array.isArray(against)) {
    const other = against as OtherFigure;
    const by = other.by ?? 0;
    const bound = logarithmic ? Math.exp(by) : by;
    return { paired: true, logarithmic, other: otherText(test, other), bounds: [bound] };
  }
  const numbers = (Array.isArray(against) ? against : [against]).map(numberOf);
  return { paired: false, logarithmic, other: "", bounds: numbers.filter((one) => one !== null) };
}

/** What of a seed is held against the bounds: its value, or a difference or ratio; null for a word or none. */
export function effectOf(seed: SeedValue, { paired, logarithmic }: Reading): number | null {
  if (!paired) return numberOf(seed.value);
  const difference = numberOf(seed.difference);
  return difference !== null && logarithmic ? Math.exp(difference) : difference;
}

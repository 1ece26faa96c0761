// Numbers of the ledger, in their units.

import { integer, tokens } from "../format";

/** In the digits of a table: tokens as 6.77M, others with three decimals. */
export function quantity(value: number, unit: string): string {
  if (unit === "tokens") return Math.abs(value) >= 1000 ? tokens(value) : integer(value);
  const small = Math.abs(value) < 0.01 && value !== 0;
  return (small ? Number(value.toPrecision(2)).toString() : value.toFixed(3)).replace("-", "\u2212");
}

/** As a person would write it: 0.1, 20M. */
export function shortNumber(value: number, unit: string): string {
  const text = unit === "tokens" && value >= 1000 ? tokens(value).replace(/\.0+(?=\D|$)/, "") : String(value);
  return text.replace("-", "\u2212");
}

/** With its sign, for differences. */
export function signed(value: number, unit: string): string {
  return value < 0 ? quantity(value, unit) : `+${quantity(value, unit)}`;
}

export function ratio(value: number): string {
  return `\u00d7 ${value.toPrecision(3)}`;
}

// Numbers as the page prints them.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 132864 -> "132,864". */
export function integer(value: number): string {
  return grouped.format(value);
}

/** Three decimals, and a fourth where the first two are zeros. */
export function decimal(value: number): string {
  return value.toFixed(Math.abs(value) < 0.01 && value !== 0 ? 4 : 3);
}

/** A token count in three digits: "0", "16.4k", "9.14M", "1.20G". */
export function tokens(value: number): string {
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    // The limit is where three digits would round up to the next unit.
    if (value >= unit * 0.9995) return `${trimmed(value / unit)}${name}`;
  }
  return integer(value);
}

/** A token count that was chosen by a person: "40M" rather than "40.0M". */
export function roundTokens(value: number): string {
  return tokens(value).replace(/\.0+(?=[kMG]$)/, "");
}

function trimmed(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

export function plural(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;
}

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

/** A text of the program, which writes in ASCII, with the signs of print: "3 x 4 +- 1" -> "3 \u00d7 4 \u00b1 1". */
export function typeset(text: string): string {
  return text.replaceAll("+-", "\u00b1").replace(/(?<!\S)x (?=\d)/g, "\u00d7 ");
}

export function plural(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;
}

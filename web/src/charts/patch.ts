// What differs between two specifications: where it is named data alone, a view takes it as it runs.

import type { Specification } from "./specification";

interface Parted {
  /** All of the specification but the rows of its named data. */
  frame: string;
  rows: Map<string, unknown[]>;
}

function part(spec: Specification): Parted {
  const rows = new Map<string, unknown[]>();
  const frame = JSON.stringify(spec, (key, value: unknown) => {
    if (key !== "data" || value === null || typeof value !== "object") return value;
    const { name, values } = value as { name?: unknown; values?: unknown };
    if (typeof name !== "string" || !Array.isArray(values)) return value;
    rows.set(name, values);
    return { name };
  });
  return { frame, rows };
}

/** Names and rows of the data that changed; null where more than named data did. */
export function changedData(
  before: Specification,
  after: Specification,
): Map<string, unknown[]> | null {
  const old = part(before);
  const now = part(after);
  if (old.frame !== now.frame) return null;
  const changed = new Map<string, unknown[]>();
  for (const [name, values] of now.rows) {
    if (JSON.stringify(values) !== JSON.stringify(old.rows.get(name))) changed.set(name, values);
  }
  return changed;
}

// The data of a Vega-Lite specification as one table.

import type { Specification } from "../charts/specification";

type Row = Record<string, unknown>;

/** Every set of rows written into a specification, each once. */
function datasets(spec: unknown): { name: string; rows: Row[] }[] {
  const found: { name: string; rows: Row[] }[] = [];
  const seen = new Set<string>();
  JSON.stringify(spec, (key, value: unknown) => {
    if (key !== "data" || value === null || typeof value !== "object") return value;
    const { name, values } = value as { name?: unknown; values?: unknown };
    const rows = Array.isArray(values) ? (values as Row[]).filter((row) => isFilled(row)) : [];
    const text = JSON.stringify(rows);
    if (rows.length > 0 && !seen.has(text)) {
      seen.add(text);
      found.push({ name: typeof name === "string" ? name : `data-${found.length + 1}`, rows });
    }
    return value;
  });
  return found;
}

function isFilled(row: unknown): row is Row {
  return row !== null && typeof row === "object" && Object.keys(row).length > 0;
}

/** A row for each element, with its index, of a row that holds arrays. */
function expanded(row: Row): Row[] {
  const arrays = Object.keys(row).filter((key) => Array.isArray(row[key]));
  if (arrays.length === 0) return [row];
  const length = Math.max(...arrays.map((key) => (row[key] as unknown[]).length));
  return Array.from({ length }, (_, index) => {
    const one: Row = {};
    for (const [key, value] of Object.entries(row)) {
      one[key] = Array.isArray(value) ? (value as unknown[])[index] : value;
    }
    return { ...one, index };
  });
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(columns: string[], rows: Iterable<unknown[]>): string {
  const lines = [columns.map(cell).join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return `${lines.join("\n")}\n`;
}

/** One table of all data of a specification; of several sets a column says which. */
export function dataOf(spec: Specification): string {
  const sets = datasets(spec);
  const several = sets.length > 1;
  const rows = sets.flatMap(({ name, rows: given }) =>
    given.flatMap(expanded).map((row) => (several ? { data: name, ...row } : row)),
  );
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return csvOf(columns, rows.map((row) => columns.map((column) => (row as Row)[column])));
}

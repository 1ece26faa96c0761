// Maps as lookback encodes them: see encode_attention in lookback/report/attention_encoding.h.

import { inflate } from "../unpack";

/**
 * The lower triangle of a [T, T] causal map, row by row: entry t (t + 1) / 2 + s is
 * round(255 sqrt(weight)) for query t and source s <= t.
 */
export type Triangle = Uint8Array;

export async function decodeTriangle(text: string, length: number): Promise<Triangle> {
  const triangle = await inflate(text);
  if (triangle.length !== (length * (length + 1)) / 2) {
    throw new Error(`attention map: ${triangle.length} weights for ${length} positions`);
  }
  return triangle;
}

/** The weight of query `query` on source `source` <= `query`, to within half a percent. */
export function weightAt(triangle: Triangle, query: number, source: number): number {
  return ((triangle[(query * (query + 1)) / 2 + source] ?? 0) / 255) ** 2;
}

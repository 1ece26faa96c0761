// One circuit as a picture: a pixel an entry, and what lies under the pointer.

import type { CircuitMatrix } from "../data";
import { inflate } from "../unpack";
import type { Theme } from "../theme";

/** A decoded matrix [side, side]: byte 128 + 127 sign(x) sqrt(|x| / scale), row by row. */
export interface Matrix {
  side: number;
  scale: number;
  bytes: Uint8Array;
}

export async function decodeMatrix(circuit: CircuitMatrix, side: number): Promise<Matrix> {
  const bytes = await inflate(circuit.map);
  if (bytes.length !== side * side) throw new Error(`${circuit.title}: ${bytes.length} entries`);
  return { side, scale: circuit.scale, bytes };
}

/** The entry, to within one part in 127 of the scale's root. */
export function entryAt(matrix: Matrix, row: number, column: number): number {
  const root = ((matrix.bytes[row * matrix.side + column] ?? 128) - 128) / 127;
  return Math.sign(root) * root * root * matrix.scale;
}

/** One pixel an entry; `scale` is that of the strongest colors. */
export function imageOf(matrix: Matrix, theme: Theme, scale: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = matrix.side;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(matrix.side, matrix.side);
  const share = scale > 0 ? Math.min(1, matrix.scale / scale) : 0;
  matrix.bytes.forEach((byte, at) => {
    const root = (byte - 128) / 127;
    const color = Math.round(127.5 + 127.5 * share * root * Math.abs(root)); // linear in the entry
    for (let channel = 0; channel < 3; ++channel) {
      image.data[4 * at + channel] = theme.diverging[3 * color + channel] ?? 0;
    }
    image.data[4 * at + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Draws the whole matrix on a canvas as wide as its place. */
export function drawMatrix(
  canvas: HTMLCanvasElement,
  matrix: Matrix,
  theme: Theme,
  scale = matrix.scale,
): void {
  const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1));
  if (side === 0) return;
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  if (!context) return;
  // Enlarged, every entry stays a sharp square; shrunk, neighbours are averaged.
  context.imageSmoothingEnabled = side < matrix.side;
  context.imageSmoothingQuality = "high";
  context.drawImage(imageOf(matrix, theme, scale), 0, 0, side, side);
}

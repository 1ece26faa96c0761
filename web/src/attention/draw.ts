// One map on a canvas: pixels, block boundaries, correct sources, axes and cross-hair.

import type { Sequence } from "../data";
import type { Theme } from "../theme";
import type { Triangle } from "./decode";

/** A query, and a source <= query or none. */
export interface Cell {
  query: number;
  source: number | null;
}

/** Whether a source follows an earlier occurrence of the query's token. */
export function isCorrect({ tokens, period }: Sequence, query: number, source: number): boolean {
  return period > 0 && query >= period && source > 0 && source <= query && tokens[source - 1] === tokens[query];
}

/** The place of the map within its canvas, in CSS pixels. */
export interface Frame {
  left: number;
  top: number;
  side: number;
}

export function frameOf(width: number): Frame {
  const left = isSmall(width) ? 34 : 52;
  return { left, top: 4, side: Math.max(1, width - left - 4) };
}

/** Height of a canvas of this width: the map is square and its axis stands below. */
export function heightOf(width: number): number {
  return frameOf(width).side + (isSmall(width) ? 32 : 52);
}

/** Two maps side by side on a phone leave no room for the titles of the axes. */
function isSmall(width: number): boolean {
  return width < 240;
}

/** The map as an image of one pixel a weight; above the diagonal it is transparent. */
export function imageOf(triangle: Triangle, length: number, theme: Theme): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = length;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(length, length);
  let at = 0;
  for (let query = 0; query < length; ++query) {
    for (let source = 0; source <= query; ++source) {
      const color = 3 * (triangle[at++] ?? 0);
      const pixel = 4 * (query * length + source);
      image.data[pixel] = theme.ramp[color] ?? 0;
      image.data[pixel + 1] = theme.ramp[color + 1] ?? 0;
      image.data[pixel + 2] = theme.ramp[color + 2] ?? 0;
      image.data[pixel + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Enlarged by a whole factor, so that the browser's smoothing only ever shrinks it. */
function enlarged(image: HTMLCanvasElement, side: number): HTMLCanvasElement {
  const factor = Math.max(1, Math.ceil(side / image.width));
  if (factor === 1) return image;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = factor * image.width;
  const context = canvas.getContext("2d");
  if (!context) return image;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

export class MapCanvas {
  readonly element: HTMLCanvasElement = document.createElement("canvas");
  private image: HTMLCanvasElement | null = null;
  private scaled: HTMLCanvasElement | null = null;

  constructor(private sequence: Sequence) {}

  setSequence(sequence: Sequence): void {
    this.sequence = sequence;
  }

  setImage(image: HTMLCanvasElement | null): void {
    this.image = image;
    this.scaled = null;
  }

  /** The cell at a place of the canvas, in CSS pixels; above the diagonal it has no source. */
  cellAt(x: number, y: number): Cell | null {
    const frame = frameOf(this.element.clientWidth);
    const length = this.sequence.tokens.length;
    const source = Math.floor(((x - frame.left) / frame.side) * length);
    const query = Math.floor(((y - frame.top) / frame.side) * length);
    if (source < 0 || source >= length || query < 0 || query >= length) return null;
    return { query, source: source <= query ? source : null };
  }

  draw(theme: Theme, marked: boolean, cell: Cell | null): void {
    const width = this.element.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    const frame = frameOf(width);
    this.resize(Math.round(width * ratio), Math.round(heightOf(width) * ratio));
    const context = this.element.getContext("2d");
    if (!context || width === 0) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, heightOf(width));
    if (this.image) {
      this.scaled ??= enlarged(this.image, frame.side * ratio);
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.scaled, frame.left, frame.top, frame.side, frame.side);
    }
    this.drawBoundaries(context, frame, theme);
    if (marked) this.drawSources(context, frame, theme);
    if (cell) this.drawCross(context, frame, theme, cell);
    this.drawAxes(context, frame, theme, cell);
  }

  private resize(width: number, height: number): void {
    if (this.element.width === width && this.element.height === height) return;
    this.element.width = width;
    this.element.height = height;
    this.scaled = null;
  }

  /** Where each copy of the block begins, as far as the causal triangle goes. */
  private drawBoundaries(context: CanvasRenderingContext2D, frame: Frame, theme: Theme): void {
    const { tokens, period } = this.sequence;
    const unit = frame.side / tokens.length;
    context.strokeStyle = theme.boundary;
    context.lineWidth = 1;
    context.beginPath();
    for (let start = period; period > 0 && start < tokens.length; start += period) {
      const at = start * unit;
      context.moveTo(frame.left, frame.top + at);
      context.lineTo(frame.left + at, frame.top + at);
      context.lineTo(frame.left + at, frame.top + frame.side);
    }
    context.moveTo(frame.left, frame.top);
    context.lineTo(frame.left + frame.side, frame.top + frame.side);
    context.stroke();
  }

  /** Lines on both sides of the sources t - kP + 1, strongest for the nearest (k = 1). */
  private drawSources(context: CanvasRenderingContext2D, frame: Frame, theme: Theme): void {
    const { tokens, period } = this.sequence;
    const length = tokens.length;
    const unit = frame.side / length;
    const gap = 1.1; // cells between the stripe and its lines
    context.strokeStyle = theme.mark;
    context.lineWidth = 1;
    for (let back = period; period > 0 && back < length; back += period) {
      context.globalAlpha = back === period ? 0.9 : 0.3;
      context.beginPath();
      for (const side of [-gap, 1 + gap]) {
        context.moveTo(frame.left + (1 + side) * unit, frame.top + back * unit);
        context.lineTo(frame.left + (length - back + 1 + side) * unit, frame.top + frame.side);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  private drawCross(
    context: CanvasRenderingContext2D,
    frame: Frame,
    theme: Theme,
    cell: Cell,
  ): void {
    const unit = frame.side / this.sequence.tokens.length;
    const y = frame.top + (cell.query + 0.5) * unit;
    const hole = Math.max(4, unit);
    context.strokeStyle = theme.cross;
    context.lineWidth = 1;
    context.beginPath();
    if (cell.source === null) {
      context.moveTo(frame.left, y);
      context.lineTo(frame.left + (cell.query + 1) * unit, y);
      return context.stroke();
    }
    const x = frame.left + (cell.source + 0.5) * unit;
    context.moveTo(frame.left, y);
    context.lineTo(x - hole, y);
    context.moveTo(x, y + hole);
    context.lineTo(x, frame.top + frame.side);
    context.stroke();
    context.strokeRect(x - hole, y - hole, 2 * hole, 2 * hole);
  }

  /** The tokens along both axes: a bar each, as dark as its number is high, and names where there is room. */
  private drawAxes(context: CanvasRenderingContext2D, frame: Frame, theme: Theme, cell: Cell | null): void {
    const { tokens } = this.sequence;
    const length = tokens.length;
    const unit = frame.side / length;
    const bottom = frame.top + frame.side;
    const highest = Math.max(1, ...tokens);
    context.fillStyle = theme.muted;
    tokens.forEach((token, at) => {
      context.globalAlpha = 0.12 + (0.88 * token) / highest;
      context.fillRect(frame.left + at * unit, bottom + 3, unit, barPixels);
      context.fillRect(frame.left - 3 - barPixels, frame.top + at * unit, barPixels, unit);
    });
    context.globalAlpha = 1;
    context.font = "10.5px system-ui, sans-serif";
    const wide = unit >= 17;
    const step = wide ? 1 : tickStep(length, frame.side / 56);
    const away = barPixels + 7;
    for (let tick = 0; tick < length; tick += step) {
      const text = String(wide ? tokens[tick] : tick);
      const at = (tick + 0.5) * unit;
      context.textAlign = "center";
      context.textBaseline = "top";
      context.fillText(text, frame.left + at + (tick === 0 ? 3 : 0), bottom + away);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(text, frame.left - away, frame.top + at + (tick === 0 ? 4 : 0));
    }
    if (cell) this.drawNames(context, frame, theme, cell);
    if (isSmall(this.element.clientWidth)) return;
    const what = wide ? "token" : "position";
    context.font = "10.5px system-ui, sans-serif";
    context.fillStyle = theme.muted;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillText(`source ${what}`, frame.left + frame.side / 2, bottom + 42);
    context.save();
    context.translate(12, frame.top + frame.side / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(`query ${what}`, 0, 0);
    context.restore();
  }

  /** The tokens of the cursor's query and source, over their axes. */
  private drawNames(context: CanvasRenderingContext2D, frame: Frame, theme: Theme, cell: Cell): void {
    const { tokens } = this.sequence;
    const unit = frame.side / tokens.length;
    context.font = "600 10.5px system-ui, sans-serif";
    const label = (text: string, x: number, y: number) => {
      const width = context.measureText(text).width + 8;
      context.fillStyle = theme.text;
      context.fillRect(x - width / 2, y - 8, width, 16);
      context.fillStyle = theme.dark ? "#13171b" : "#ffffff";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(text, x, y + 0.5);
    };
    const half = frame.left / 2 - 1;
    label(String(tokens[cell.query]), half, Math.max(frame.top + 8, frame.top + (cell.query + 0.5) * unit));
    if (cell.source !== null) {
      const x = frame.left + (cell.source + 0.5) * unit;
      label(String(tokens[cell.source]), x, frame.top + frame.side + barPixels + 12);
    }
  }
}

const barPixels = 6;

/** A power of two, so that ticks of a length that is one are even. */
function tickStep(length: number, most: number): number {
  let step = 1;
  while (length / step > Math.max(1, most)) step *= 2;
  return step;
}

// One map on a canvas: pixels, block boundaries, correct sources, axes and cross-hair.

import type { Sequence } from "../data";
import type { Theme } from "../theme";
import type { Triangle } from "./decode";

export interface Cell {
  query: number;
  source: number;
}

/** The place of the map within its canvas, in CSS pixels. */
export interface Frame {
  left: number;
  top: number;
  side: number;
}

export function frameOf(width: number): Frame {
  const left = isSmall(width) ? 26 : 42;
  return { left, top: 4, side: Math.max(1, width - left - 4) };
}

/** Height of a canvas of this width: the map is square and its axis stands below. */
export function heightOf(width: number): number {
  return frameOf(width).side + (isSmall(width) ? 24 : 42);
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

  constructor(private readonly sequence: Sequence) {}

  setImage(image: HTMLCanvasElement | null): void {
    this.image = image;
    this.scaled = null;
  }

  /** The cell at a place of the canvas, in CSS pixels, if one with source <= query is there. */
  cellAt(x: number, y: number): Cell | null {
    const frame = frameOf(this.element.clientWidth);
    const length = this.sequence.tokens.length;
    const source = Math.floor(((x - frame.left) / frame.side) * length);
    const query = Math.floor(((y - frame.top) / frame.side) * length);
    return source >= 0 && query < length && source <= query ? { query, source } : null;
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
    this.drawAxes(context, frame, theme);
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
    const x = frame.left + (cell.source + 0.5) * unit;
    const y = frame.top + (cell.query + 0.5) * unit;
    const hole = Math.max(4, unit);
    context.strokeStyle = theme.cross;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(frame.left, y);
    context.lineTo(x - hole, y);
    context.moveTo(x, y + hole);
    context.lineTo(x, frame.top + frame.side);
    context.stroke();
    context.strokeRect(x - hole, y - hole, 2 * hole, 2 * hole);
  }

  private drawAxes(context: CanvasRenderingContext2D, frame: Frame, theme: Theme): void {
    const length = this.sequence.tokens.length;
    const unit = frame.side / length;
    const bottom = frame.top + frame.side;
    context.fillStyle = theme.muted;
    context.font = "10.5px system-ui, sans-serif";
    const step = tickStep(length, frame.side / 56);
    for (let tick = 0; tick < length; tick += step) {
      const at = (tick + 0.5) * unit;
      context.textAlign = "center";
      context.textBaseline = "top";
      context.fillText(String(tick), frame.left + at + (tick === 0 ? 3 : 0), bottom + 5);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(String(tick), frame.left - 5, frame.top + at + (tick === 0 ? 4 : 0));
    }
    if (isSmall(this.element.clientWidth)) return;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillText("source position", frame.left + frame.side / 2, bottom + 34);
    context.save();
    context.translate(12, frame.top + frame.side / 2);
    context.rotate(-Math.PI / 2);
    context.fillText("query position", 0, 0);
    context.restore();
  }
}

/** A power of two, so that ticks of a length that is one are even. */
function tickStep(length: number, most: number): number {
  let step = 1;
  while (length / step > Math.max(1, most)) step *= 2;
  return step;
}

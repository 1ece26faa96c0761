// Files that the reader saves: their names, and handing them to the browser.

/** "study-figure-variant": letters, digits and hyphens; a variant that begins with its figure says both. */
export function fileName(study: string, figure: string, variant: string): string {
  const parts = variant.startsWith(figure) ? [study, variant] : [study, figure, variant];
  const clean = parts.map((part) => part.replace(/[^A-Za-z0-9.]+/g, "-").replace(/^[-.]+|[-.]+$/g, ""));
  return clean.filter((part) => part !== "").join("-").slice(0, 120) || "figure";
}

export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after the click.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A drawing as pixels, twice as fine as on paper. */
export async function rasterOf(drawing: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no canvas");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pngOf(canvas);
}

export async function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG"))), "image/png"),
  );
}

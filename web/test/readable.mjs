// Which texts of a page are too pale to read: the contrast of each with what lies behind it, by the
// definition of WCAG 2, as colors are once everything is drawn.

/** Of WCAG 2.2, 1.4.3: for text, and for large text. */
export const leastContrast = 4.5;

/** In the page. REQUIRES a viewport that is as high as the page. */
function contrasts() {
  const everything = document.createElement("style");
  everything.textContent = "* { pointer-events: auto !important }"; // so that all that is painted is found
  document.head.append(everything);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  /** Any color of CSS as red, green, blue and alpha, from 0 to 1. */
  const parsed = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = "#0000";
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((byte) => byte / 255);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((one, i) => one * a + under[i] * (1 - a));
  const luminance = (color) => {
    const [r, g, b] = color.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const opacity = (element) => {
    let all = 1;
    for (let at = element; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
    return all;
  };
  const pixel = (element, x, y) => {
    const box = element.getBoundingClientRect();
    const place = [((x - box.x) / box.width) * element.width, ((y - box.y) / box.height) * element.height];
    return [...element.getContext("2d").getImageData(...place.map(Math.floor), 1, 1).data].map((byte) => byte / 255);
  };
  /** What an element paints at a place, with its alpha. */
  const paint = (element, x, y) => {
    const style = getComputedStyle(element);
    if (element instanceof HTMLCanvasElement) return pixel(element, x, y);
    const isShape = element instanceof SVGGeometryElement;
    if (!isShape) return element instanceof SVGElement ? [0, 0, 0, 0] : parsed(style.backgroundColor);
    if (style.fill === "none") return [0, 0, 0, 0];
    const [r, g, b, a] = parsed(style.fill);
    return [r, g, b, a * Number(style.fillOpacity)];
  };
  const behind = (element, x, y) => {
    let color = parsed(getComputedStyle(document.body).backgroundColor).slice(0, 3);
    const stack = document.elementsFromPoint(x, y);
    for (const one of stack.reverse()) {
      const [r, g, b, a] = paint(one, x, y);
      color = over([r, g, b, a * opacity(one)], color);
      if (one === element) break;
    }
    return color;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const style = getComputedStyle(element);
    const text = node.data.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (parseFloat(style.fontSize) === 0 || element.closest(".spoken, legend, option, noscript, script")) continue;
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box || box.width < 2) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const [r, g, b, a] = parsed(element instanceof SVGElement ? style.fill : style.color);
    const back = behind(element, x, y);
    const color = over([r, g, b, a * opacity(element)], back);
    found.push({ text: text.slice(0, 40), ratio: contrast(color, back), color, back,
      where: element.closest("[id], [class]")?.className?.baseVal ?? element.className });
  }
  everything.remove();
  return found;
}

/** Every text of a page that is drawn, with its contrast. */
export async function contrastsOf(page) {
  const { width } = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height });
  const found = await page.evaluate(contrasts);
  await page.setViewportSize({ width, height: 900 });
  return found;
}

/** Those that cannot be read, as lines. */
export async function unreadable(page) {
  const found = await contrastsOf(page);
  const hex = (color) => `#${color.map((one) => Math.round(255 * one).toString(16).padStart(2, "0")).join("")}`;
  return found.filter((one) => one.ratio < leastContrast)
    .map((one) => `${one.ratio.toFixed(2)}: "${one.text}" ${hex(one.color)} on ${hex(one.back)} (${one.where})`);
}

/** Opens all that is folded, and draws it. */
export async function openAll(page) {
  await page.evaluate(() => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
}

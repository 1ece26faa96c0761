// Light and dark: what the style sheet cannot reach, which is the charts and the canvases.

export interface Theme {
  dark: boolean;
  text: string;
  muted: string;
  /** Marks of measurements that belong to no arm. */
  ink: string;
  grid: string;
  /** Color of weight i/255 after the square root, as 256 RGB triples. */
  ramp: Uint8ClampedArray;
  /** Colors of a signed quantity, as 256 RGB triples: the first most negative, the last most positive. */
  diverging: Uint8ClampedArray;
  /** Marks over a map: the correct sources, block boundaries, the cross-hair. */
  mark: string;
  boundary: string;
  cross: string;
}

// One hue from the paper to ink: order survives gray printing and every kind of color vision.
const lightStops = ["#ffffff", "#cfe1f0", "#6aa9d4", "#0072b2", "#003e66", "#001626"];
const darkStops = ["#0d1116", "#12324a", "#0a5c8f", "#3795cc", "#9fd3f2", "#ffffff"];

// Vermilion below zero, blue above: apart for every kind of color vision, and zero is the paper.
const lightDiverging = ["#7a2f00", "#d55e00", "#f2b48a", "#f5f5f5", "#8fc1e3", "#0072b2", "#003a5c"];
const darkDiverging = ["#ffc9a3", "#e9762b", "#7a3a12", "#1e242a", "#124a70", "#2d95d8", "#b9e0fa"];

function ramp(stops: string[]): Uint8ClampedArray {
  const colors = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; ++i) {
    const place = (i / 255) * (colors.length - 1);
    const low = Math.min(Math.floor(place), colors.length - 2);
    for (let c = 0; c < 3; ++c) {
      const from = colors[low]?.[c] ?? 0;
      const to = colors[low + 1]?.[c] ?? 0;
      table[3 * i + c] = from + (to - from) * (place - low);
    }
  }
  return table;
}

export const lightTheme: Theme = {
  dark: false,
  text: "#1c2126",
  muted: "#5b646d",
  ink: "#3b434b",
  grid: "#e4e7ea",
  ramp: ramp(lightStops),
  diverging: ramp(lightDiverging),
  mark: "#6b5b00",
  boundary: "rgba(28, 33, 38, 0.13)",
  cross: "rgba(28, 33, 38, 0.7)",
};

const dark: Theme = {
  dark: true,
  text: "#e6e9ec",
  muted: "#9aa4ae",
  ink: "#c8d0d7",
  grid: "#2a3138",
  ramp: ramp(darkStops),
  diverging: ramp(darkDiverging),
  mark: "#f0e442",
  boundary: "rgba(230, 233, 236, 0.16)",
  cross: "rgba(230, 233, 236, 0.75)",
};

// The colors of lookback/report/colors.h that are too dark for a dark page, or too pale.
const darkColors: Record<string, string> = {
  "#0072B2": "#2D95D8",
  "#1C2126": "#E6E9EC",
  "#5B646D": "#9AA4AE",
  "#3B434B": "#C8D0D7",
  "#CBD1D6": "#3F4851",
  "#F5F5F5": "#20272E",
};

/** A color of a figure as this theme shows it. */
export function shownColor(color: string, theme: Theme): string {
  return (theme.dark && darkColors[color.toUpperCase()]) || color;
}

/** The same as a color of a style sheet, which follows the theme by itself. */
export function cssColor(color: string): string {
  return `light-dark(${color}, ${shownColor(color, dark)})`;
}

const preference = window.matchMedia("(prefers-color-scheme: dark)");

export function currentTheme(): Theme {
  return preference.matches ? dark : lightTheme;
}

/** Calls `changed` whenever the reader's preference changes. */
export function onThemeChange(changed: () => void): void {
  preference.addEventListener("change", changed);
}

/** The stops of both ramps on paper, for saved specifications. */
export const rampStops = lightStops;
export const divergingStops = lightDiverging;

/** The diverging colors as a CSS gradient, for the legend. */
export function divergingGradient(theme: Theme): string {
  return `linear-gradient(to right, ${(theme.dark ? darkDiverging : lightDiverging).join(", ")})`;
}

/** The ramp as a CSS gradient, for the legend. */
export function rampGradient(theme: Theme): string {
  const stops = theme.dark ? darkStops : lightStops;
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

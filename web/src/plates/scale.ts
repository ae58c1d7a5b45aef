/** Colours at equal steps. Both kinds are told apart with any colour vision, and keep their order in grey. */
const VIRIDIS = [
  "#440154",
  "#472d7b",
  "#3b528b",
  "#2c728e",
  "#21918c",
  "#28ae80",
  "#5ec962",
  "#addc30",
  "#fde725",
];
/** Blue for low and orange for high, light in the middle (after Crameri's and Brewer's rules for diverging scales). */
const DIVERGING_LIGHT = [
  "#1f4e8c",
  "#4a7dbd",
  "#8db3dc",
  "#cfdfee",
  "#f4f1ea",
  "#f3d2a6",
  "#e3a154",
  "#bf6d1b",
  "#7f3f06",
];

/** The same on a dark ground: the middle is what recedes. */
const DIVERGING_DARK = [
  "#7db4f5",
  "#4f8bd6",
  "#35639f",
  "#2a4363",
  "#283034",
  "#5c4424",
  "#9a6a24",
  "#d18f32",
  "#f6bd62",
];

export type ScaleKind = "sequential" | "diverging";
export function coloursOf(kind: ScaleKind, dark: boolean) {
  if (kind === "sequential") return VIRIDIS;
  return dark ? DIVERGING_DARK : DIVERGING_LIGHT;
}

/** A colour for a value; what lies outside the domain has its end's. */
export type Scale = {
  kind: ScaleKind;
  dark: boolean;
  low: number;
  high: number;
  colour: (value: number) => string;
};

export function makeScale(kind: ScaleKind, low: number, high: number, dark = false): Scale {
  const stops = coloursOf(kind, dark).map(channels);
  const width = high - low;
  const colour = (value: number) => {
    const share = width > 0 ? Math.max(0, Math.min(1, (value - low) / width)) : 0.5;
    const at = share * (stops.length - 1);
    const index = Math.min(stops.length - 2, Math.floor(at));
    const [a, b] = [stops[index], stops[index + 1]];
    if (!a || !b) return "#888888";
    const rest = at - index;
    const mixed = a.map((from, channel) => Math.round(from + ((b[channel] ?? from) - from) * rest));
    return `#${mixed.map((it) => it.toString(16).padStart(2, "0")).join("")}`;
  };
  return { kind, dark, low, high, colour };
}

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** A domain that a few wild wells do not stretch: the 1st to the 99th percentile. */
export function domainOf(values: readonly number[]): [number, number] {
  const order = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (order.length === 0) return [0, 1];
  const low = order[Math.floor((order.length - 1) * 0.01)] ?? 0;
  const high = order[Math.ceil((order.length - 1) * 0.99)] ?? 1;
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** A domain around a middle, as wide to both sides. */
export function domainAround(middle: number, values: readonly number[]): [number, number] {
  const [low, high] = domainOf(values);
  const reach = Math.max(Math.abs(high - middle), Math.abs(low - middle), 1e-9);
  return [middle - reach, middle + reach];
}

/** Black or white, whichever reads better on it. */
export function inkOn(colour: string): string {
  const [r = 0, g = 0, b = 0] = channels(colour);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? "#10201c" : "#ffffff";
}

// What rounds to come take from the stock, against what is there. Pure.

import type { Supply } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { microlitres } from "./volumes.ts";

export const isShort = (supply: Pick<Supply, "short_lab_at">) => supply.short_lab_at != null;

/** `3 plates`, `12.5 µL` */
export const amount = (supply: Pick<Supply, "kind">, n: number) =>
  supply.kind === "blank_plates" ? plural(n, "plate") : microlitres(n);

const share = ({ wanted, there }: Supply) => (there > 0 ? wanted / there : wanted > 0 ? Infinity : 0);

/** What runs out comes first, the soonest at the top; then what little will be left of. */
export function inOrder(supplies: readonly Supply[]): Supply[] {
  const runsOut = (supply: Supply) => (supply.short_lab_at ? Date.parse(supply.short_lab_at) : Infinity);
  const order = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);
  return [...supplies].sort(
    (a, b) => order(runsOut(a), runsOut(b)) || order(share(b), share(a)) || a.name.localeCompare(b.name),
  );
}

/** Shares of a bar as wide as whatever is more: what is taken of what is there, and what is missing. */
export function barOf({ wanted, there }: Pick<Supply, "wanted" | "there">): {
  taken: number;
  missing: number;
} {
  const whole = Math.max(wanted, there);
  if (whole <= 0) return { taken: 0, missing: 0 };
  return { taken: Math.min(wanted, there) / whole, missing: Math.max(0, wanted - there) / whole };
}

/** What the bar shows, in words. */
export const barWords = (supply: Supply) =>
  `${amount(supply, supply.wanted)} wanted, ${amount(supply, supply.there)} there`;

/** One line of a list, known by what it is of. */
export const supplyId = ({ kind, name, labware }: Supply) => [kind, labware ?? "", name].join(" ");

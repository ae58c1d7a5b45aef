// A source plate's wells as they are drawn: how much is left in each. Pure.

import type { StockWell } from "../api/types.ts";
import type { MapWell } from "../plates/PlateMap.tsx";
import { makeScale, type Scale } from "../plates/scale.ts";
import { drawableNl, microlitres } from "./volumes.ts";

/** `A1: CBLB · 50 µL · 2 µL reserved · 42 µL drawable` */
export function wellWords(well: StockWell, staysNl: number | null | undefined): string {
  const drawable = drawableNl(well, staysNl);
  const parts = [
    `${well.well}: ${well.content}`,
    microlitres(well.volume_nl),
    ...(well.reserved_nl > 0 ? [`${microlitres(well.reserved_nl)} reserved`] : []),
    ...(drawable === null ? [] : [drawable > 0 ? `${microlitres(drawable)} drawable` : "not drawable"]),
  ];
  return parts.join(" · ");
}

/** Wells and the scale they are coloured by, in microlitres. One from which nothing may be drawn has a cross. */
export function volumeMap(
  wells: readonly StockWell[],
  staysNl: number | null | undefined,
): { wells: MapWell[]; scale: Scale } {
  const most = Math.max(0, ...wells.map((it) => it.volume_nl));
  const scale = makeScale("sequential", 0, most / 1000);
  const drawn = wells.map(
    (it): MapWell => ({
      well: it.well,
      role: "sample",
      fill: it.volume_nl > 0 ? scale.colour(it.volume_nl / 1000) : undefined,
      mark: drawableNl(it, staysNl) === 0 ? "wrong" : undefined,
      title: wellWords(it, staysNl),
    }),
  );
  return { wells: drawn, scale };
}

/** Wells of which the well or the content has this in it, whatever its case. */
export function wellsWith(wells: readonly StockWell[], typed: string): StockWell[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return [...wells];
  return wells.filter((it) => it.well.toLowerCase() === wanted || it.content.toLowerCase().includes(wanted));
}

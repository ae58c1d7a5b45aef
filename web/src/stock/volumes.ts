// Volumes of the stock. Everything is in microlitres, so that one column can be compared with the next. Pure.

import type { StockWell } from "../api/types.ts";

const NONE = "–";
const LANGUAGE = "en-GB";

/** `224.5 µL`; four digits are enough to read, and whole microlitres above a thousand. */
export function microlitres(nanolitres: number | null | undefined): string {
  if (nanolitres === null || nanolitres === undefined) return NONE;
  const value = nanolitres / 1000;
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
  return `${value.toLocaleString(LANGUAGE, digits)} µL`;
}

/** To the nanolitre, as one would type it: `48.005`. */
export const exactly = (nanolitres: number) => String(nanolitres / 1000);

export type Found = { nl: number; fault?: undefined } | { nl?: undefined; fault: string };

/** What somebody typed in microlitres. A comma is refused: it is a thousand's to one and a decimal to the next. */
export function parseMicrolitres(text: string): Found {
  const typed = text.trim();
  if (/^\d+,\d+$/.test(typed)) return { fault: `Write it with a point: ${typed.replace(",", ".")}` };
  const parts = /^(\d{1,7})(?:\.(\d+))?$/.exec(typed);
  if (!parts) return { fault: "A number of microlitres, like 48 or 12.5" };
  const [, whole = "0", rest = ""] = parts;
  if (rest.length > 3) return { fault: "At most three digits behind the point" };
  return { nl: Number(whole) * 1000 + Number(rest.padEnd(3, "0")) };
}

/** The same, when it cannot be what was found in this well. */
export function parseFound(text: string, well: StockWell, capacityNl: number | null | undefined): Found {
  const found = parseMicrolitres(text);
  if (found.nl === undefined) return found;
  if (capacityNl != null && found.nl > capacityNl)
    return { fault: `A well holds ${microlitres(capacityNl)} at most` };
  if (found.nl < well.reserved_nl) {
    return { fault: `${microlitres(well.reserved_nl)} are reserved: less cannot be set` };
  }
  return found;
}

/** What a plan may still draw of a well; `null` where nobody knows what has to stay in it. */
export function drawableNl(
  well: Pick<StockWell, "volume_nl" | "reserved_nl">,
  staysNl: number | null | undefined,
): number | null {
  return staysNl == null ? null : Math.max(0, well.volume_nl - well.reserved_nl - staysNl);
}

// Numbers and times as people read them. Pure: the clock and the language are passed in or fixed.

const LANGUAGE = "en-GB";
const NONE = "–";

/** With so many digits behind the point that three are significant; a real minus sign. */
export function number(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return (0).toFixed(digits ?? 2);
  const size = Math.abs(value);
  const places = digits ?? (size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 ? 2 : 4);
  return value.toFixed(places).replace("-", "−");
}

export const count = (value: number | null | undefined) =>
  value === null || value === undefined ? NONE : value.toLocaleString(LANGUAGE);

/** A share as per cent, and never 100 % or 0 % for what is not. */
export function percent(share: number | null | undefined, digits = 0): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const least = 10 ** -digits;
  const value = share * 100;
  if (value > 0 && value < least / 2) return `<${least} %`;
  if (value < 100 && value > 100 - least / 2) return `>${100 - least} %`;
  return `${value.toFixed(digits)} %`;
}

/** Nanolitres in the unit that reads best. */
export function volume(nanolitres: number | null | undefined): string {
  if (nanolitres === null || nanolitres === undefined) return NONE;
  if (Math.abs(nanolitres) >= 1e6) return `${trim(nanolitres / 1e6)} mL`;
  if (Math.abs(nanolitres) >= 1e3) return `${trim(nanolitres / 1e3)} µL`;
  return `${nanolitres} nL`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${trim(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  const hours = seconds / 3600;
  if (hours < 48) return `${trim(hours)} h`;
  return `${trim(hours / 24)} days`;
}

const trim = (value: number) =>
  value.toLocaleString(LANGUAGE, { maximumSignificantDigits: Math.abs(value) >= 100 ? 4 : 3 });

export const money = (amount: number, currency: string) =>
  amount.toLocaleString(LANGUAGE, { style: "currency", currency });

/** `Alma (administrator)` as one speaks to her. */
export const spokenName = (name: string) => name.replace(/\s*\([^)]*\)\s*$/, "").trim() || name;

/** `1 experiment`, `2 experiments`. */
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** `awaiting_approval` as words. */
export const words = (name: string) => name.replaceAll("_", " ");

/** The same with a capital. */
export const title = (name: string) => {
  const spoken = words(name);
  return spoken.charAt(0).toUpperCase() + spoken.slice(1);
};

const STEPS: [string, string, number][] = [
  ["year", "years", 365 * 86_400],
  ["month", "months", 30 * 86_400],
  ["week", "weeks", 7 * 86_400],
  ["day", "days", 86_400],
  ["h", "h", 3_600],
  ["min", "min", 60],
];

/** `3 h ago`, `in 2 days`; `now` within half a minute. */
export function relative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  if (!Number.isFinite(seconds)) return NONE;
  const size = Math.abs(seconds);
  if (size < 30) return "now";
  const [one, many, unit] = STEPS.find((step) => size >= step[2]) ?? ["min", "min", 60];
  const n = Math.max(1, Math.round(size / unit));
  const spoken = `${n} ${n === 1 ? one : many}`;
  return seconds < 0 ? `${spoken} ago` : `in ${spoken}`;
}

const exactFormat = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const shortFormat = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "short",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

export const exact = (at: Date) => (Number.isNaN(at.getTime()) ? NONE : exactFormat.format(at));
export const shortMoment = (at: Date) => (Number.isNaN(at.getTime()) ? NONE : shortFormat.format(at));

/** The first characters of a digest or id, enough to tell two apart. */
export const shortId = (id: string) => {
  // Version 7 ids of one moment begin alike: their end differs.
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id);
  return isUuid ? `…${id.slice(-6)}` : id.slice(0, 10);
};

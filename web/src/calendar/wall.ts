/** An instant as the clock on the wall of a zone shows it; by our own clock where the browser does not know the zone. */
export function wallMoment(at: string, zone: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "–";
  const parts: Intl.DateTimeFormatOptions = {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone }).format(date);
  } catch {
    return new Intl.DateTimeFormat("en-GB", { ...parts, timeZoneName: "short" }).format(date);
  }
}

/** What a date and, where one was given, a time are to the server: a date alone is meant to its end. */
export const asLocal = (date: string, time: string) => (time ? `${date}T${time}:00` : date);

/** Why a stretch cannot be sent as it stands; `null` when it can. */
export function stretchFault(from: string, to: string): string | null {
  if (!from || !to) return null;
  const [fromDate = "", fromTime = "00:00:00"] = from.split("T");
  const [toDate = "", toTime] = to.split("T");
  if (toDate < fromDate) return "It ends before it begins.";
  if (toDate === fromDate && toTime !== undefined && toTime <= fromTime) return "It ends before it begins.";
  return null;
}

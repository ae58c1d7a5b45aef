/** A JSON value as people read it: fields, tables of alike records, and lists cut where they get long. */
export type Shape =
  | { kind: "text"; text: string; more: number }
  | { kind: "fields"; fields: { name: string; shape: Shape }[] }
  | { kind: "table"; columns: string[]; rows: string[][]; more: number }
  | { kind: "list"; items: Shape[]; more: number };

const SHOWN = 12;

export function shapeOf(value: unknown): Shape {
  if (Array.isArray(value)) return shapeOfList(value);
  if (isRecord(value)) {
    const fields = Object.entries(value).map(([name, it]) => ({ name, shape: shapeOf(it) }));
    return { kind: "fields", fields };
  }
  return { kind: "text", text: plainText(value), more: 0 };
}

function shapeOfList(list: unknown[]): Shape {
  const shown = list.slice(0, SHOWN);
  const more = list.length - shown.length;
  if (list.every((it) => !isRecord(it) && !Array.isArray(it))) {
    return { kind: "text", text: shown.map(plainText).join(", ") || "none", more };
  }
  if (shown.every(isFlat)) {
    const columns = [...new Set(shown.flatMap((it) => Object.keys(it)))];
    const rows = shown.map((it) => columns.map((column) => plainText(it[column])));
    return { kind: "table", columns, rows, more };
  }
  return { kind: "list", items: shown.map(shapeOf), more };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFlat = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && Object.values(value).every((it) => typeof it !== "object" || it === null);

const plainText = (value: unknown) => (value === null || value === undefined ? "–" : String(value));

/** Whether there is anything to show. */
export const isEmpty = (value: unknown) =>
  value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);

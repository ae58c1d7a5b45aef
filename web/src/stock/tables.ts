// Tables that people bring, as CSV: which columns they have, and what spreadsheets make of them. Pure.

export type TableKind = "library" | "assay" | "volumes";

type Shape = { columns: string[]; optional?: string[]; about: string; example: string };

export const SHAPES: Record<TableKind, Shape> = {
  library: {
    columns: ["barcode", "labware", "well", "content", "volume_nl"],
    about: "One line for each well that holds a reagent. A plate whose barcode is known stays as it is.",
    example:
      "LIB-0001,corning_384_wellplate_112ul_flat,A1,CBLB,50000\nLIB-0001,corning_384_wellplate_112ul_flat,A2,CD5,50000",
  },
  assay: {
    columns: ["barcode", "labware", "context"],
    about: "One line for each blank plate. A plate whose barcode is known stays as it is.",
    example:
      "ASY-0001,corning_384_wellplate_112ul_flat,donor-1\nASY-0002,corning_384_wellplate_112ul_flat,donor-2",
  },
  volumes: {
    columns: ["barcode", "well", "volume_nl"],
    optional: ["content"],
    about:
      "One line for each well that was looked at; content is needed only for a well that nothing is known of.",
    example: "LIB-0001,A1,48000,\nLIB-0001,B7,50000,SOCS1",
  },
};

/** The first line of such a table. */
export const headOf = ({ columns, optional = [] }: Shape) => [...columns, ...optional].join(",");

/**
 * A table as it was saved or copied, with commas between its cells: spreadsheets copy with tabs, and save with
 * semicolons where the comma is a decimal. Its lines stay where they are.
 */
export function asCsv(text: string): string {
  const plain = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const [head = ""] = plain.split("\n", 1);
  const separator = head.includes(",") ? "," : ["\t", ";"].find((it) => head.includes(it));
  if (separator === undefined || separator === ",") return plain;
  const lines = plain.split("\n").map((line) => cellsOf(line, separator).map(quoted).join(","));
  return lines.join("\n");
}

/** The cells of a line, without the quotes around them. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (isQuoted && sign === '"' && line.charAt(at + 1) === '"') {
      cell += sign;
      at++;
    } else if (sign === '"' && (isQuoted || cell === "")) isQuoted = !isQuoted;
    else if (sign === separator && !isQuoted) {
      cells.push(cell);
      cell = "";
    } else cell += sign;
  }
  return [...cells, cell];
}

const quoted = (cell: string) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Why a table cannot be of this kind, from its first line; `null`: it may be. */
export function headFault(kind: TableKind, csv: string): string | null {
  const [head = ""] = csv.split("\n", 1);
  const names = cellsOf(head, ",").map((name) => name.trim());
  const missing = SHAPES[kind].columns.filter((column) => !names.includes(column));
  if (missing.length === 0) return null;
  const known = Object.values(SHAPES).flatMap((shape) => headOf(shape).split(","));
  return names.some((name) => known.includes(name))
    ? `In the first line is no ${missing.join(", no ")}.`
    : "The first line names the columns.";
}

/** Lines with something in them, below the first. */
export const rowsIn = (csv: string) =>
  Math.max(0, csv.split("\n").filter((line) => line.trim() !== "").length - 1);

/** A line of the table, counted from 1. */
export const lineOf = (csv: string, line: number): string | undefined => csv.split("\n")[line - 1];

/** What was found in wells of one plate, as a table. Barcodes and wells need no quotes. */
export function foundCsv(barcode: string, found: readonly { well: string; nl: number }[]): string {
  return ["barcode,well,volume_nl", ...found.map(({ well, nl }) => `${barcode},${well},${nl}`), ""].join(
    "\n",
  );
}

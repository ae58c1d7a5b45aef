export type Format = { rows: number; columns: number };

/** Wells of a standard microplate (ANSI/SLAS): three columns for every two rows. */
const FORMATS: Record<number, Format> = {
  6: { rows: 2, columns: 3 },
  12: { rows: 3, columns: 4 },
  24: { rows: 4, columns: 6 },
  48: { rows: 6, columns: 8 },
  96: { rows: 8, columns: 12 },
  384: { rows: 16, columns: 24 },
  1536: { rows: 32, columns: 48 },
};

export type Place = { row: number; column: number };

/** `A1` is row 0, column 0; `AF48` is the last well of a 1536-well plate. `null` for what is no well. */
export function parseWell(well: string): Place | null {
  const found = /^([A-Z]{1,2})([1-9][0-9]?)$/.exec(well);
  if (!found?.[1] || !found[2]) return null;
  const row = [...found[1]].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return { row, column: Number(found[2]) - 1 };
}

export function rowName(row: number): string {
  const first = Math.floor(row / 26);
  const last = String.fromCharCode(65 + (row % 26));
  return first === 0 ? last : String.fromCharCode(64 + first) + last;
}

export const wellName = ({ row, column }: Place) => `${rowName(row)}${column + 1}`;

/** The format that a labware's load name tells (`corning_384_wellplate_112ul_flat`); else the smallest with all wells. */
export function formatOf(labware: string, wells: readonly string[]): Format {
  for (const part of labware.split(/[^0-9]+/)) {
    const known = FORMATS[Number(part)];
    if (known && wells.every((well) => isInside(well, known))) return known;
  }
  const sizes = Object.values(FORMATS);
  return sizes.find((format) => wells.every((well) => isInside(well, format))) ?? { rows: 32, columns: 48 };
}

function isInside(well: string, format: Format): boolean {
  const place = parseWell(well);
  return place === null || (place.row < format.rows && place.column < format.columns);
}

/** Where a cursor key leads; the plate's edge holds it. */
export function step(from: Place, key: string, format: Format): Place | null {
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  if (key === "Home") return { row: from.row, column: 0 };
  if (key === "End") return { row: from.row, column: format.columns - 1 };
  const move = moves[key];
  if (!move) return null;
  return {
    row: Math.max(0, Math.min(format.rows - 1, from.row + move[0])),
    column: Math.max(0, Math.min(format.columns - 1, from.column + move[1])),
  };
}

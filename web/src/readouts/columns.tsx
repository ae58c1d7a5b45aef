import type { ReadoutPrediction } from "../api/types.ts";
import { percent } from "../display/format.ts";
import type { Column } from "../tables/DataTable.tsx";
import { feasibility, readoutNames, readoutWords } from "./readouts.ts";

/** Where so likely, feasibility is no news, and leaves its room to the reason on narrow tables. */
const SURE = 0.95;

type Says = { readouts?: ReadoutPrediction[] };

/** What the model says of further readouts, where there is room, and whether the constraints hold. */
export function readoutColumns<Row extends Says>(rows: Row[], from: number): Column<Row>[] {
  const columns: Column<Row>[] = readoutNames(rows).map((name) => ({
    key: `readout-${name}`,
    title: name,
    hint: "A number with its sd, or the likeliest label",
    from,
    cell: (it) => readoutWords(it.readouts?.find(({ readout }) => readout === name)),
  }));
  if (rows.some((it) => feasibility(it) !== null))
    columns.push({
      key: "feasible",
      title: "Feasible",
      hint: "Probability that all constraints hold",
      numeric: true,
      from: rows.every((it) => (feasibility(it) ?? 1) >= SURE) ? 760 : undefined,
      by: (it) => feasibility(it),
      cell: (it) => percent(feasibility(it)),
    });
  return columns;
}

import { SegmentedControl, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { count, plural, volume } from "../display/format.ts";
import { formatOf } from "../plates/geometry.ts";
import { type MapWell, PlateMap } from "../plates/PlateMap.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { type Transfer, tallyOf } from "./evidence.ts";
import classes from "./TransferEvidence.module.css";

/** What was to be dispensed against what anybody said of it: as a plate, and transfer by transfer. */
export function TransferEvidence({ transfers, labware }: { transfers: Transfer[]; labware: string }) {
  const [view, setView] = useState("plate");
  const tally = tallyOf(transfers);
  const wells = useMemo(() => wellsOf(transfers), [transfers]);
  const format = useMemo(
    () =>
      formatOf(
        labware,
        wells.map((it) => it.well),
      ),
    [labware, wells],
  );
  const rows = useMemo(() => transfers.map((it, index) => ({ ...it, index })), [transfers]);
  const columns = useMemo(makeColumns, []);
  return (
    <div className={classes.evidence}>
      <div className={classes.head}>
        <Text size="sm" fw={600}>
          {plural(tally.intended, "transfer")}: {count(tally.moved)} reported as done, {count(tally.failed)}{" "}
          as failed, {count(tally.nothing)} without a word
        </Text>
        <SegmentedControl
          aria-label="How the transfers are shown"
          value={view}
          onChange={setView}
          data={[
            { value: "plate", label: "Plate" },
            { value: "table", label: "Table" },
          ]}
        />
      </div>
      {view === "plate" ? (
        <div className={classes.plate}>
          <PlateMap format={format} wells={wells} label="Intended against reported volumes" />
          <ul className={classes.legend}>
            <li data-said="moved">reported as done</li>
            <li data-said="nothing">intended, without a word</li>
            <li data-said="failed">reported as failed (cross)</li>
          </ul>
        </div>
      ) : (
        <DataTable
          label="Intended against reported"
          rows={rows}
          columns={columns}
          id={(row) => String(row.index)}
          height={320}
          empty={null}
        />
      )}
    </div>
  );
}

type Row = Transfer & { index: number };
const SAID: Record<Transfer["said"], string> = { moved: "done", failed: "failed", nothing: "nothing" };

const makeColumns = (): Column<Row>[] => [
  {
    key: "well",
    title: "Well",
    by: (it) => it.destination_well,
    cell: (it) => <strong>{it.destination_well}</strong>,
  },
  {
    key: "from",
    title: "From",
    cell: (it) => (
      <span title={`${it.source_barcode} ${it.source_well}`}>
        <Link to="/stock/$barcode" params={{ barcode: it.source_barcode }}>
          {it.source_barcode}
        </Link>{" "}
        {it.source_well}
      </span>
    ),
  },
  {
    key: "intended",
    title: "Intended",
    numeric: true,
    by: (it) => it.volume_nl,
    cell: (it) => volume(it.volume_nl),
  },
  {
    key: "actual",
    title: "Reported",
    numeric: true,
    by: (it) => it.actual_nl,
    cell: (it) => (it.actual_nl === null ? "–" : volume(it.actual_nl)),
  },
  {
    key: "said",
    title: "Said",
    grows: true,
    by: (it) => it.said,
    cell: (it) => <span title={it.error ?? undefined}>{it.error ?? SAID[it.said]}</span>,
  },
];

/** Of each well the worst that was said: one transfer nobody spoke of leaves the well open. */
function wellsOf(transfers: readonly Transfer[]): MapWell[] {
  const byWell = new Map<string, Transfer[]>();
  for (const it of transfers)
    byWell.set(it.destination_well, [...(byWell.get(it.destination_well) ?? []), it]);
  return [...byWell].map(([well, all]) => {
    const intended = all.reduce((sum, it) => sum + it.volume_nl, 0);
    const failed = all.find((it) => it.said === "failed");
    const open = all.some((it) => it.said === "nothing");
    const actual = all.reduce((sum, it) => sum + (it.actual_nl ?? 0), 0);
    const title = `${well}: ${volume(intended)} intended, ${
      failed
        ? `failed: ${failed.error ?? "no reason"}`
        : open
          ? "without a word"
          : `${actual > 0 ? volume(actual) : "done"} reported`
    }`;
    return {
      well,
      role: "sample" as const,
      title,
      ...(failed || open
        ? { fill: failed ? "var(--lw-failed-well)" : "var(--lw-open-well)" }
        : { fill: "var(--lw-ok)" }),
      mark: failed ? ("wrong" as const) : undefined,
    };
  });
}

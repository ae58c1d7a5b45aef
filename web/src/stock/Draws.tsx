import { IconFlask2 } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { StockDraw } from "../api/types.ts";
import { count } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import classes from "./StockPlate.module.css";
import { microlitres } from "./volumes.ts";
import { drawWords } from "./words.ts";

/** The server names the newest so many. */
const MOST = 200;
type Row = StockDraw & { key: string };

/** Plates that drew from a source plate, or will. */
export function Draws({ draws }: { draws: readonly StockDraw[] }) {
  // Those that may not be read have no name of their own.
  const rows = useMemo(() => draws.map((it, at): Row => ({ ...it, key: it.plate_id ?? `${at}` })), [draws]);
  return (
    <Panel title="Drawn from by" note={draws.length >= MOST ? `the newest ${MOST} plates` : undefined} flush>
      <DataTable
        label="Drawn from by"
        rows={rows}
        columns={COLUMNS}
        id={(it) => it.key}
        height={rows.length > 10 ? 400 : undefined}
        empty={
          <Nothing icon={IconFlask2} title="No plate has drawn from it">
            Plates show here as soon as they are planned with it.
          </Nothing>
        }
      />
    </Panel>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    key: "plate",
    title: "Plate",
    by: (it) => it.barcode,
    cell: (it) =>
      it.plate_id ? (
        <Link to="/plates/$plateId" params={{ plateId: it.plate_id }} title={it.barcode ?? undefined}>
          {it.barcode}
        </Link>
      ) : (
        <span className={classes.soft} title="A plate of another project">
          a plate of another project
        </span>
      ),
  },
  {
    key: "round",
    title: "For",
    grows: true,
    by: (it) => it.campaign,
    cell: (it) =>
      it.campaign_id ? (
        <Link
          to="/campaigns/$campaignId"
          params={{ campaignId: it.campaign_id }}
          title={`${it.campaign}, round ${it.round}`}
        >
          round {it.round} of {it.campaign}
        </Link>
      ) : (
        "–"
      ),
  },
  {
    key: "state",
    title: "State",
    by: (it) => it.state,
    cell: (it) => {
      const { label, tone } = drawWords(it);
      return <StateBadge state={tone} label={label} />;
    },
  },
  {
    key: "wells",
    title: "Wells",
    hint: "Wells of this plate that it draws from",
    numeric: true,
    from: 560,
    by: (it) => it.wells,
    cell: (it) => count(it.wells),
  },
  {
    key: "volume",
    title: "Volume",
    numeric: true,
    by: (it) => it.volume_nl,
    cell: (it) => microlitres(it.volume_nl),
  },
];

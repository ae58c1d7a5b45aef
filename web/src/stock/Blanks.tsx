import { IconFlask2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { StockBlanks } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { count } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { blanksQuery } from "./queries.ts";

/** How many blank plates there are of each kind. */
export function Blanks({ howTo }: { howTo: ReactNode }) {
  const blanks = useQuery(blanksQuery);
  return (
    <Panel title="Blank plates" note="By labware and context, without those that are used up" flush>
      <FailedOr read={blanks} what="The blank plates cannot be read">
        <DataTable
          label="Blank plates by labware and context"
          rows={blanks.data}
          columns={COLUMNS}
          id={(it) => `${it.labware} ${it.context}`}
          empty={
            <Nothing icon={IconFlask2} title="No blank plate is there">
              {howTo}
            </Nothing>
          }
        />
      </FailedOr>
    </Panel>
  );
}

const COLUMNS: Column<StockBlanks>[] = [
  {
    key: "context",
    title: "Context",
    grows: true,
    by: (it) => it.context,
    cell: (it) => <strong title={it.context}>{it.context}</strong>,
  },
  {
    key: "labware",
    title: "Labware",
    by: (it) => it.labware,
    cell: (it) => <span title={it.labware}>{it.labware}</span>,
  },
  {
    key: "available",
    title: "Available",
    hint: "Not planned with yet",
    numeric: true,
    by: (it) => it.available,
    cell: (it) => count(it.available),
  },
  {
    key: "reserved",
    title: "Reserved",
    hint: "For plates that are planned",
    numeric: true,
    by: (it) => it.reserved,
    cell: (it) => count(it.reserved),
  },
];

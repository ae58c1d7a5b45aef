import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconCalendarOff, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { blackoutsQuery } from "../api/queries.ts";
import type { Blackout } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { useMayEverywhere } from "../session/may.ts";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { AddBlackout } from "./AddBlackout.tsx";
import { RemoveBlackout } from "./RemoveBlackout.tsx";
import { wallMoment } from "./wall.ts";

/** When no round may begin, and which instruments are away. */
export function Blackouts() {
  const blackouts = useQuery(blackoutsQuery);
  const may = useMayEverywhere("instrument:write");
  const [opened, { open, close }] = useDisclosure();
  const [removed, setRemoved] = useState<Blackout | null>(null);
  const columns = useMemo(() => makeColumns(may ? setRemoved : null), [may]);
  return (
    <Panel
      title="Closed, and in maintenance"
      flush
      actions={
        may ? (
          <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} onClick={open}>
            Add…
          </Button>
        ) : null
      }
    >
      <FailedOr read={blackouts} what="Closures and maintenance cannot be read">
        <DataTable
          label="Closures and maintenance"
          rows={blackouts.data}
          columns={columns}
          id={(blackout) => blackout.id}
          empty={
            <Nothing icon={IconCalendarOff} title="Nothing is closed">
              Holidays keep rounds from beginning; maintenance of an instrument shows what does not fit.
              Closures that a campaign's own file names are not listed here.
            </Nothing>
          }
        />
      </FailedOr>
      {opened ? <AddBlackout close={close} /> : null}
      {removed ? <RemoveBlackout blackout={removed} close={() => setRemoved(null)} /> : null}
    </Panel>
  );
}

const byClock = ({ zone }: Blackout) => `By the clock of ${zone}`;

const makeColumns = (remove: ((blackout: Blackout) => void) | null): Column<Blackout>[] => [
  {
    key: "what",
    title: "What",
    by: (it) => it.instrument ?? "",
    cell: (it) => <strong>{it.instrument ?? "Laboratory"}</strong>,
  },
  {
    key: "from",
    title: "From",
    by: (it) => it.from_lab_at,
    cell: (it) => <span title={byClock(it)}>{wallMoment(it.from_lab_at, it.zone)}</span>,
  },
  {
    key: "to",
    title: "Until",
    by: (it) => it.to_lab_at,
    cell: (it) => <span title={byClock(it)}>{wallMoment(it.to_lab_at, it.zone)}</span>,
  },
  {
    key: "reason",
    title: "Why",
    grows: true,
    by: (it) => it.reason,
    cell: (it) => <span title={it.reason}>{it.reason}</span>,
  },
  { key: "zone", title: "By the clock of", from: 860, cell: (it) => it.zone },
  ...(remove
    ? [
        {
          key: "do",
          title: null,
          hint: "What can be done",
          width: 92,
          cell: (it: Blackout) => (
            <Button size="compact-xs" variant="default" onClick={() => remove(it)}>
              Remove…
            </Button>
          ),
        },
      ]
    : []),
];

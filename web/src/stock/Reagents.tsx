import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDroplet, IconFilter } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import type { StockContent } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { count } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Older } from "../display/Older.tsx";
import { Panel } from "../display/Panel.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { contentsQuery } from "./queries.ts";
import { microlitres } from "./volumes.ts";

const QUIET_MS = 250;

/** Reagents by name, over all source plates that may be drawn from. */
export function Reagents({ howTo }: { howTo: ReactNode }) {
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), QUIET_MS);
  const contents = useInfiniteQuery(contentsQuery(search || undefined));
  const rows = useMemo(() => contents.data?.pages.flatMap((page) => page.items), [contents.data]);
  const columns = useMemo(makeColumns, []);
  return (
    <Panel
      title="Reagents"
      note="Over all source plates that may be drawn from"
      flush
      actions={
        <TextInput
          data-page-filter
          aria-label="Search by name"
          placeholder="Name ( / )"
          size="xs"
          w={190}
          leftSection={<IconFilter size={13} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      }
    >
      <FailedOr read={contents} what="The reagents cannot be read">
        <DataTable
          label="Reagents"
          main
          rows={rows}
          columns={columns}
          id={(it) => it.content}
          empty={
            <Nothing icon={IconDroplet} title={search ? "No reagent is called that" : "No reagent is there"}>
              {search ? "Wells of plates that are withdrawn are not in it." : howTo}
            </Nothing>
          }
        />
      </FailedOr>
      <Older read={contents} words="More reagents" ruled />
    </Panel>
  );
}

const makeColumns = (): Column<StockContent>[] => [
  {
    key: "name",
    title: "Reagent",
    grows: true,
    by: (it) => it.content,
    cell: (it) => <strong title={it.content}>{it.content}</strong>,
  },
  {
    key: "drawable",
    title: "Drawable",
    hint: "Neither reserved nor what has to stay in each well",
    numeric: true,
    by: (it) => it.drawable_nl,
    cell: (it) => microlitres(it.drawable_nl),
  },
  {
    key: "reserved",
    title: "Reserved",
    hint: "For plates that are planned",
    numeric: true,
    by: (it) => it.reserved_nl,
    cell: (it) => microlitres(it.reserved_nl),
  },
  {
    key: "left",
    title: "Left",
    hint: "In all its wells together",
    numeric: true,
    from: 700,
    by: (it) => it.volume_nl,
    cell: (it) => microlitres(it.volume_nl),
  },
  { key: "wells", title: "Wells", numeric: true, by: (it) => it.wells, cell: (it) => count(it.wells) },
  { key: "plates", title: "Plates", numeric: true, by: (it) => it.plates, cell: (it) => count(it.plates) },
];

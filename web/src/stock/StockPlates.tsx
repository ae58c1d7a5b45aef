import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFilter, IconStack2 } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import type { StockPlate } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { count, title } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Older } from "../display/Older.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { STOCK_STATES, type StockRole, type StockState, stockPlatesQuery } from "./queries.ts";
import { microlitres } from "./volumes.ts";
import { placeWords } from "./words.ts";

type Props = {
  of: StockRole;
  state: StockState | undefined;
  choose: (state: StockState | undefined) => void;
  /** How the first ones come in. */
  howTo: ReactNode;
};

const TITLES: Record<StockRole, { title: string; none: string }> = {
  library: { title: "Source plates", none: "No source plate is registered" },
  assay: { title: "Blank plates, one by one", none: "No blank plate is registered" },
};
const QUIET_MS = 250;

/** Plates of the stock in one role, by barcode. */
export function StockPlates({ of: role, state, choose, howTo }: Props) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), QUIET_MS);
  const plates = useInfiniteQuery(stockPlatesQuery({ role, state, search: search || undefined }));
  const rows = useMemo(() => plates.data?.pages.flatMap((page) => page.items), [plates.data]);
  const columns = useMemo(() => makeColumns(role), [role]);
  const isFiltered = Boolean(state || search);
  return (
    <Panel
      title={TITLES[role].title}
      note={rows?.length ? `${plates.hasNextPage ? "the first " : ""}${count(rows.length)}` : undefined}
      flush
      actions={
        <>
          <TextInput
            data-page-filter
            aria-label="Search by barcode"
            placeholder="Barcode ( / )"
            size="xs"
            w={190}
            leftSection={<IconFilter size={13} />}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Select
            aria-label="State"
            placeholder="Every state"
            size="xs"
            w={140}
            clearable
            data={STOCK_STATES.map((it) => ({ value: it, label: title(it) }))}
            value={state ?? null}
            onChange={(value) => choose((value as StockState | null) ?? undefined)}
          />
        </>
      }
    >
      <FailedOr read={plates} what="The plates cannot be read">
        <DataTable
          label={TITLES[role].title}
          main
          rows={rows}
          columns={columns}
          id={(plate) => plate.barcode}
          open={({ barcode }) => navigate({ to: "/stock/$barcode", params: { barcode } })}
          empty={
            <Nothing icon={IconStack2} title={isFiltered ? "No plate fits" : TITLES[role].none}>
              {isFiltered ? "Look in every state, or for less of the barcode." : howTo}
            </Nothing>
          }
        />
      </FailedOr>
      <Older read={plates} words="More plates" ruled />
    </Panel>
  );
}

const makeColumns = (role: StockRole): Column<StockPlate>[] => {
  const contents: Column<StockPlate>[] = [
    { key: "wells", title: "Wells", numeric: true, by: (it) => it.wells, cell: (it) => count(it.wells) },
    {
      key: "left",
      title: "Left",
      hint: "In all its wells together",
      numeric: true,
      by: (it) => it.volume_nl,
      cell: (it) => microlitres(it.volume_nl),
    },
    {
      key: "reserved",
      title: "Reserved",
      hint: "Of what is left, for plates that are planned",
      numeric: true,
      by: (it) => it.reserved_nl,
      cell: (it) => microlitres(it.reserved_nl),
    },
  ];
  const context: Column<StockPlate> = {
    key: "context",
    title: "Context",
    by: (it) => it.context,
    cell: (it) => <span title={it.context ?? undefined}>{it.context}</span>,
  };
  return [
    {
      key: "barcode",
      title: "Barcode",
      grows: true,
      by: (it) => it.barcode,
      cell: (it) => (
        <Link to="/stock/$barcode" params={{ barcode: it.barcode }} title={it.barcode}>
          <strong>{it.barcode}</strong>
        </Link>
      ),
    },
    {
      key: "labware",
      title: "Labware",
      from: 860,
      by: (it) => it.labware,
      cell: (it) => <span title={it.labware}>{it.labware}</span>,
    },
    ...(role === "library" ? contents : [context]),
    {
      key: "at",
      title: "Stands",
      by: placeWords,
      cell: (it) => <span title={it.at ?? undefined}>{placeWords(it)}</span>,
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
  ];
};

import { Button, Text, TextInput } from "@mantine/core";
import { IconDroplet, IconFilter } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { StockPlateShown, StockWell } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { formatOf } from "../plates/geometry.ts";
import { PlateMap } from "../plates/PlateMap.tsx";
import { ScaleBar } from "../plates/ScaleBar.tsx";
import { useMayEverywhere } from "../session/may.ts";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { CountWells } from "./CountWells.tsx";
import { whyNotCounted } from "./orders.ts";
import classes from "./StockPlate.module.css";
import { drawableNl, microlitres } from "./volumes.ts";
import { volumeMap, wellsWith } from "./wells.ts";

/** What is left in a source plate: seen from above, and well by well. Chosen wells can be counted. */
export function WellsPanel({ plate }: { plate: StockPlateShown }) {
  const { well_list: wells, stays_nl: stays } = plate;
  const may = useMayEverywhere("inventory:write");
  const [typed, setTyped] = useState("");
  const [looked, setLooked] = useState<string | null>(null);
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [isCounting, setCounting] = useState(false);
  const map = useMemo(() => volumeMap(wells, stays), [wells, stays]);
  const format = useMemo(
    () =>
      formatOf(
        plate.labware,
        wells.map((it) => it.well),
      ),
    [plate.labware, wells],
  );
  const known = useMemo(() => new Set(wells.map((it) => it.well)), [wells]);
  const rows = useMemo(() => wellsWith(wells, typed), [wells, typed]);
  const columns = useMemo(() => makeColumns(stays), [stays]);
  const whyNot = whyNotCounted(plate);
  const counts = may && whyNot === null;
  const toggle = (well: string) => {
    const next = new Set(chosen);
    if (known.has(well) && !next.delete(well)) next.add(well);
    choose(next);
  };
  const rings = useMemo(() => new Set([...chosen, ...(looked ? [looked] : [])]), [chosen, looked]);
  const now = looked ? (map.wells.find((it) => it.well === looked)?.title ?? `${looked}: empty`) : null;
  return (
    <div className={classes.two}>
      <Panel title="Volume left" note={plural(wells.length, "well")}>
        <PlateMap
          format={format}
          wells={map.wells}
          label={`Source plate ${plate.barcode}, volume left`}
          looked={rings}
          onLook={setLooked}
          onChoose={counts ? toggle : undefined}
        />
        <div className={classes.foot}>
          <ScaleBar scale={map.scale} unit="µL" />
          <Text size="xs" c="dimmed">
            Cross: not drawable, what is left is reserved or stays in the well
          </Text>
        </div>
        <Text size="sm" mt={6} className={classes.well} aria-hidden>
          {now ?? "Point at a well, or go from well to well with the cursor keys."}
        </Text>
      </Panel>
      <Panel
        title="Wells"
        note={may && whyNot !== null ? `Not counted now: ${whyNot}.` : undefined}
        flush
        actions={
          <>
            <TextInput
              data-page-filter
              aria-label="Filter wells"
              placeholder="Well or content ( / )"
              size="xs"
              w={170}
              leftSection={<IconFilter size={13} />}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
            />
            {counts ? (
              <Button
                size="xs"
                variant="default"
                disabled={chosen.size === 0}
                title={chosen.size === 0 ? "Choose wells first, in the table or on the plate" : undefined}
                onClick={() => setCounting(true)}
              >
                {chosen.size === 0 ? "Count wells…" : `Count ${plural(chosen.size, "well")}…`}
              </Button>
            ) : null}
          </>
        }
      >
        <DataTable
          label="Wells"
          main
          rows={rows}
          columns={columns}
          id={(it) => it.well}
          height={440}
          looked={looked}
          onLook={setLooked}
          choice={counts ? { chosen, choose } : undefined}
          empty={<Nothing icon={IconDroplet} title={typed ? "No well fits" : "No well holds anything"} />}
        />
      </Panel>
      {isCounting ? (
        <CountWells
          plate={plate}
          wells={wells.filter((it) => chosen.has(it.well))}
          close={() => setCounting(false)}
          counted={() => choose(new Set())}
        />
      ) : null}
    </div>
  );
}

const makeColumns = (stays: number | null | undefined): Column<StockWell>[] => [
  { key: "well", title: "Well", by: (it) => it.well, cell: (it) => <strong>{it.well}</strong> },
  {
    key: "content",
    title: "Content",
    grows: true,
    by: (it) => it.content,
    cell: (it) => <span title={it.content}>{it.content}</span>,
  },
  {
    key: "volume",
    title: "Left",
    numeric: true,
    by: (it) => it.volume_nl,
    cell: (it) => microlitres(it.volume_nl),
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
    key: "drawable",
    title: "Drawable",
    hint: "Neither reserved nor what has to stay in the well",
    numeric: true,
    by: (it) => drawableNl(it, stays),
    cell: (it) => microlitres(drawableNl(it, stays)),
  },
];

import { Select, TextInput } from "@mantine/core";
import { IconFilter, IconFlask2 } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { newestPlatesQuery, platesQuery } from "../../../api/queries.ts";
import type { PlateLine, PlateState } from "../../../api/types.ts";
import { BlockBones } from "../../../display/Bones.tsx";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { plural, title } from "../../../display/format.ts";
import { Nothing } from "../../../display/Nothing.tsx";
import { Older } from "../../../display/Older.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { PlateCard } from "../../../plates/PlateCard.tsx";
import classes from "../../../plates/Plates.module.css";

const STATES: PlateState[] = [
  "planned",
  "dispensing",
  "incubating",
  "reading",
  "passed",
  "quarantined",
  "released",
  "rejected",
  "lost",
  "cancelled",
];
/** So many are looked through for what is typed. */
const MOST_SEARCHED = 2000;
type Search = { state?: PlateState; round?: string };

export const Route = createFileRoute("/_app/plates/")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    state: STATES.find((state) => state === search.state),
    round: typeof search.round === "string" ? search.round : undefined,
  }),
  component: Page,
});

/** Waiting for a person first, then the newest; each once. */
function inOrder(plates: PlateLine[]): PlateLine[] {
  const each = new Map(plates.map((plate) => [plate.id, plate]));
  const urgent = (plate: PlateLine) => (plate.state === "quarantined" || plate.state === "lost" ? 0 : 1);
  return [...each.values()].sort(
    (a, b) => urgent(a) - urgent(b) || b.created_at.localeCompare(a.created_at) || a.ordinal - b.ordinal,
  );
}

function Page() {
  const search = Route.useSearch();
  const navigate = useNavigate();
  const [filter, setFilter] = useState("");
  const plates = useInfiniteQuery(newestPlatesQuery(search));
  const loaded = plates.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = plates;
  const searches = filter.trim() !== "" && hasNextPage && !isFetchNextPageError && loaded < MOST_SEARCHED;
  useEffect(() => {
    if (searches && !isFetchingNextPage) void fetchNextPage();
  }, [searches, isFetchingNextPage, fetchNextPage]);
  // However long ago they were planned.
  const whole = search.state === undefined;
  const quarantined = useQuery({ ...platesQuery({ ...search, state: "quarantined" }), enabled: whole });
  const lost = useQuery({ ...platesQuery({ ...search, state: "lost" }), enabled: whole });
  const shown = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    const waiting = whole ? [...(quarantined.data?.items ?? []), ...(lost.data?.items ?? [])] : [];
    const all = inOrder([...waiting, ...(plates.data?.pages.flatMap((page) => page.items) ?? [])]);
    return wanted ? all.filter((it) => `${it.barcode} ${it.context}`.toLowerCase().includes(wanted)) : all;
  }, [plates.data, quarantined.data, lost.data, whole, filter]);
  return (
    <>
      <PageHead
        title="Plates"
        note={search.round ? "Of one round." : "Assay plates, those that wait for a decision first."}
        actions={
          <>
            <TextInput
              data-page-filter
              aria-label="Filter plates"
              placeholder="Barcode or context ( / )"
              leftSection={<IconFilter size={14} />}
              value={filter}
              onChange={(event) => setFilter(event.currentTarget.value)}
            />
            <Select
              aria-label="State"
              placeholder="Every state"
              clearable
              data={STATES.map((state) => ({ value: state, label: title(state) }))}
              value={search.state ?? null}
              onChange={(state) =>
                navigate({
                  to: "/plates",
                  search: { ...search, state: (state as PlateState | null) ?? undefined },
                })
              }
            />
          </>
        }
      />
      <FailedOr read={plates} what="The plates cannot be read">
        {plates.data ? (
          shown.length > 0 ? (
            <>
              <div className={classes.grid}>
                {shown.map((plate) => (
                  <PlateCard key={plate.id} plate={plate} />
                ))}
              </div>
              <p className={classes.count}>
                {plural(shown.length, "plate")}
                {plates.hasNextPage ? ", the newest" : ""}
              </p>
            </>
          ) : (
            <Nothing
              icon={IconFlask2}
              title={
                filter || search.state
                  ? plates.hasNextPage
                    ? "No plate fits, of those that are loaded"
                    : "No plate fits"
                  : "No plates yet"
              }
            >
              {filter || search.state
                ? "Look in every state, or for less of the barcode or context."
                : "Plates are planned when a batch is approved, and fill with colour as they are dispensed and read."}
            </Nothing>
          )
        ) : (
          <BlockBones height={320} />
        )}
        <Older read={plates} />
      </FailedOr>
    </>
  );
}

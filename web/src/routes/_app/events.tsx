import { Drawer, TextInput } from "@mantine/core";
import { IconFilter, IconHistory } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { eventsAfter } from "../../api/queries.ts";
import type { SealedEvent } from "../../api/types.ts";
import { Copy, Id } from "../../display/Copy.tsx";
import { words } from "../../display/format.ts";
import { Nothing } from "../../display/Nothing.tsx";
import { Older } from "../../display/Older.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { LabWhen, When } from "../../display/When.tsx";
import { eventWords } from "../../events/words.ts";
import { Payload } from "../../jobs/Payload.tsx";
import { lastPosition } from "../../live/position.ts";
import { barcodeOf } from "../../stock/words.ts";
import { type Column, DataTable } from "../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/events")({ component: Page });

const PAGE = 200;

function Page() {
  const [filter, setFilter] = useState("");
  const [opened, setOpened] = useState<SealedEvent | null>(null);
  const end = useQuery({
    queryKey: ["events", "end"],
    queryFn: ({ signal }) => lastPosition(async (after) => (await eventsAfter(after, 1, signal)).length > 0),
    refetchInterval: 20_000,
    placeholderData: keepPreviousData,
  });
  const last = end.data;
  // Newest first: pages are read from the end of the record backwards.
  const events = useInfiniteQuery({
    queryKey: ["events", "before", last],
    enabled: last !== undefined,
    initialPageParam: last ?? 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }): Promise<SealedEvent[]> => {
      const after = Math.max(0, pageParam - PAGE);
      const page = pageParam > after ? await eventsAfter(after, pageParam - after, signal) : [];
      return page.reverse();
    },
    getNextPageParam: (_page, _pages, from) => (from > PAGE ? from - PAGE : undefined),
  });
  const rows = useMemo(() => {
    const all = events.data?.pages.flat();
    const wanted = filter.trim().toLowerCase();
    if (!all || !wanted) return all;
    return all.filter((it) =>
      `${it.kind} ${eventWords(it.kind)} ${it.actor} ${it.subject} ${it.subject_id}`
        .toLowerCase()
        .includes(wanted),
    );
  }, [events.data, filter]);
  const columns = useMemo(makeColumns, []);
  const failed = end.error ?? events.error;
  return (
    <>
      <PageHead
        title="Events"
        note="The record: what happened, who did it, in an order and a hash chain that nobody can change."
      />
      <Panel
        title="Newest first"
        note={last ? `${last.toLocaleString("en-GB")} events` : undefined}
        flush
        actions={
          <TextInput
            data-page-filter
            aria-label="Filter events"
            placeholder="Kind, actor or id ( / )"
            size="xs"
            w={220}
            leftSection={<IconFilter size={13} />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
        }
      >
        {failed && !events.data ? (
          <ProblemNotice what="The record cannot be read" error={failed} again={() => void end.refetch()} />
        ) : (
          <DataTable
            label="Events"
            main
            rows={rows}
            columns={columns}
            id={(it) => String(it.position)}
            open={setOpened}
            height="calc(100dvh - 230px)"
            empty={
              <Nothing
                icon={IconHistory}
                title={filter ? "No event fits, of those that are loaded" : "Nothing has happened yet"}
              />
            }
          />
        )}
        <Older read={events} ruled />
      </Panel>
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        position="right"
        size="lg"
        title={opened ? eventWords(opened.kind) : ""}
      >
        {opened ? (
          <>
            <Payload
              title="Event"
              value={{
                position: opened.position,
                kind: opened.kind,
                actor: opened.actor,
                subject: opened.subject,
                subject_id: opened.subject_id,
                happened_at: opened.happened_at,
                laboratory_time: opened.lab_at,
              }}
              empty=""
            />
            <div style={{ height: 12 }} />
            {"origin" in opened ? (
              <>
                <Payload title="From where" value={opened.origin} empty="The service itself." />
                <div style={{ height: 12 }} />
              </>
            ) : null}
            <Payload title="What it says" value={opened.body} empty="Nothing more." />
            <p style={{ color: "var(--lw-ink-soft)", overflowWrap: "anywhere" }}>
              Chain <span className="lw-mono">{opened.chain_sha256}</span>{" "}
              <Copy text={opened.chain_sha256} what="link of the chain" />
            </p>
          </>
        ) : null}
      </Drawer>
    </>
  );
}

const makeColumns = (): Column<SealedEvent>[] => [
  {
    key: "position",
    title: "#",
    numeric: true,
    width: 70,
    by: (it) => it.position,
    cell: (it) => it.position,
  },
  {
    key: "kind",
    title: "What",
    by: (it) => it.kind,
    cell: (it) => <strong title={it.kind}>{eventWords(it.kind)}</strong>,
  },
  {
    key: "actor",
    title: "Who",
    by: (it) => it.actor,
    cell: (it) => <span title={it.actor}>{it.actor}</span>,
  },
  {
    key: "subject",
    title: "On",
    cell: (it) => <Subject event={it} />,
  },
  {
    key: "lab",
    title: "Laboratory time",
    from: 900,
    by: (it) => it.lab_at,
    cell: (it) => <LabWhen at={it.lab_at} short />,
  },
  {
    key: "when",
    title: "When",
    width: 100,
    by: (it) => it.happened_at,
    cell: (it) => <When at={it.happened_at} />,
  },
];

/** What happened to what: a plate of the stock by its barcode, which leads to it. */
function Subject({ event }: { event: SealedEvent }) {
  const barcode = barcodeOf(event);
  if (barcode === null) {
    return (
      <>
        {words(event.subject)} <Id id={event.subject_id} />
      </>
    );
  }
  return (
    <Link to="/stock/$barcode" params={{ barcode }} title={barcode}>
      {barcode}
    </Link>
  );
}

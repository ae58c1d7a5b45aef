import { Button, Drawer, TextInput } from "@mantine/core";
import { IconFilter, IconHistory } from "@tabler/icons-react";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { SealedEvent } from "../../api/types.ts";
import { Copy, Id } from "../../display/Copy.tsx";
import { plural, words } from "../../display/format.ts";
import { Nothing } from "../../display/Nothing.tsx";
import { Older } from "../../display/Older.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { LabWhen, When } from "../../display/When.tsx";
import { useRecord } from "../../events/useRecord.ts";
import { eventWords } from "../../events/words.ts";
import { Payload } from "../../jobs/Payload.tsx";
import { useMayEverywhere } from "../../session/may.ts";
import { barcodeOf } from "../../stock/words.ts";
import { type Column, DataTable } from "../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/events")({ component: Page });

function Page() {
  const [filter, setFilter] = useState("");
  const [opened, setOpened] = useState<SealedEvent | null>(null);
  const { events, pages, last, ahead, toTheEnd, error, again } = useRecord();
  // Who reads some projects only is told of some positions only, and they are no numbers of events.
  const readsAll = useMayEverywhere("read");
  const rows = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    if (!wanted) return events;
    return events?.filter((it) =>
      `${it.kind} ${eventWords(it.kind)} ${it.actor} ${it.subject} ${it.subject_id}`
        .toLowerCase()
        .includes(wanted),
    );
  }, [events, filter]);
  const columns = useMemo(makeColumns, []);
  return (
    <>
      <PageHead
        title="Events"
        note="The record: what happened, who did it, in an order and a hash chain that nobody can change."
      />
      <Panel
        title="Newest first"
        note={last && readsAll ? `${last.toLocaleString("en-GB")} events` : undefined}
        flush
        actions={
          <>
            {ahead > 0 ? (
              <Button size="compact-sm" variant="default" onClick={toTheEnd}>
                {readsAll ? plural(ahead, "new event") : "New events"}
              </Button>
            ) : null}
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
          </>
        }
      >
        {error && !events ? (
          <ProblemNotice what="The record cannot be read" error={error} again={again} />
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
        <Older read={pages} ruled />
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

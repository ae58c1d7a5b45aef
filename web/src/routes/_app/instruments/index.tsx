import { Group } from "@mantine/core";
import { IconRobot } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { instrumentsQuery } from "../../../api/queries.ts";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { Nothing } from "../../../display/Nothing.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { LabWhen, useNow, When } from "../../../display/When.tsx";
import classes from "../../../instruments/Instruments.module.css";
import type { InstrumentNow } from "../../../instruments/now.ts";
import { isSilent, profileWords } from "../../../instruments/profile.ts";
import { Orders } from "../../../orders/Orders.tsx";
import { type Column, DataTable } from "../../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/instruments/")({ component: Page });

function Page() {
  const instruments = useQuery(instrumentsQuery);
  const now = useNow();
  const navigate = useNavigate();
  const columns = useMemo(() => makeColumns(now), [now]);
  return (
    <>
      <PageHead
        title="Instruments"
        note="What can do work, whether it is in service, and when its agent was last heard."
      />
      <Panel title="All instruments" flush>
        <FailedOr read={instruments} what="The instruments cannot be read">
          <DataTable
            label="Instruments"
            main
            rows={instruments.data}
            columns={columns}
            id={(it) => it.name}
            open={(it) => navigate({ to: "/instruments/$name", params: { name: it.name } })}
            empty={
              <Nothing icon={IconRobot} title="No instrument is registered">
                An engineer registers one with <code className="lw-mono">loopwright instrument register</code>
                , gives its agent a token, and it shows here as soon as it asks for work.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
    </>
  );
}

function makeColumns(now: Date): Column<InstrumentNow>[] {
  return [
    {
      key: "name",
      title: "Instrument",
      by: (it) => it.name,
      cell: (it) => (
        <Link to="/instruments/$name" params={{ name: it.name }} title={it.name}>
          <strong>{it.name}</strong>
        </Link>
      ),
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "why",
      title: "Why, since when",
      grows: true,
      cell: (it) => <Why instrument={it} />,
    },
    {
      key: "back",
      title: "Expected back",
      from: 980,
      by: (it) => it.back_lab_at,
      cell: (it) => <LabWhen at={it.back_lab_at} short />,
    },
    {
      key: "can",
      title: "Can do",
      from: 860,
      by: (it) => it.capabilities.join(),
      cell: (it) => it.capabilities.join(", "),
    },
    {
      key: "profile",
      title: "Places and capacity",
      from: 1250,
      cell: (it) => <span title={JSON.stringify(it.profile)}>{profileWords(it.profile)}</span>,
    },
    {
      key: "seen",
      title: "Agent last heard",
      by: (it) => it.last_seen_at,
      cell: (it) => (
        <span style={{ color: isSilent(it, now) ? "var(--lw-warn)" : undefined }}>
          <When at={it.last_seen_at} none="never" />
          {isSilent(it, now) ? " · silent" : ""}
        </span>
      ),
    },
    {
      key: "do",
      title: null,
      hint: "What can be ordered",
      width: 150,
      numeric: true,
      cell: (it) => (
        <Group gap={6} wrap="nowrap" justify="flex-end">
          <Orders small subject={{ kind: "instrument", id: it.name, name: it.name }} state={it.state} />
        </Group>
      ),
    },
  ];
}

/** Why it is not in service, by whom, since when. */
function Why({ instrument }: { instrument: InstrumentNow }) {
  const { state_reason: reason, state_by: by, state_since: since, state } = instrument;
  if (state === "in_service" || (!reason && !by)) return <span className={classes.none}>–</span>;
  return (
    <span title={reason ?? undefined}>
      {reason ?? "no reason given"}
      {by ? ` (${by})` : ""}
      {since ? (
        <>
          {" · "}
          <When at={since} />
        </>
      ) : null}
    </span>
  );
}

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconRobot } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { answer, api } from "../../api/client.ts";
import { instrumentsQuery } from "../../api/queries.ts";
import type { Instrument, InstrumentState } from "../../api/types.ts";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { StateBadge } from "../../display/StateBadge.tsx";
import { say } from "../../display/said.ts";
import { useNow, When } from "../../display/When.tsx";
import { isSilent, profileWords } from "../../instruments/profile.ts";
import { useMay } from "../../session/may.ts";
import { type Column, DataTable } from "../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/instruments")({ component: Page });

function Page() {
  const instruments = useQuery(instrumentsQuery);
  const may = useMay("instrument:write");
  const now = useNow();
  const [asked, setAsked] = useState<{ instrument: Instrument; to: InstrumentState } | null>(null);
  const columns = useMemo(
    () => makeColumns(may, now, (instrument, to) => setAsked({ instrument, to })),
    [may, now],
  );
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
            empty={
              <Nothing icon={IconRobot} title="No instrument is registered">
                An engineer registers one with <code className="lw-mono">loopwright instrument register</code>
                , gives its agent a token, and it shows here as soon as it asks for work.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
      {asked ? <Change {...asked} close={() => setAsked(null)} /> : null}
    </>
  );
}

function makeColumns(
  may: boolean,
  now: Date,
  ask: (instrument: Instrument, to: InstrumentState) => void,
): Column<Instrument>[] {
  const columns: Column<Instrument>[] = [
    {
      key: "name",
      title: "Instrument",
      by: (it) => it.name,
      cell: (it) => <strong title={it.name}>{it.name}</strong>,
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "can",
      title: "Can do",
      by: (it) => it.capabilities.join(),
      cell: (it) => it.capabilities.join(", "),
    },
    {
      key: "profile",
      grows: true,
      title: "Places and capacity",
      from: 760,
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
  ];
  if (may) {
    columns.push({
      key: "do",
      title: null,
      hint: "What can be done",
      width: 170,
      cell: (it) =>
        it.state === "retired" ? null : (
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => ask(it, it.state === "in_service" ? "maintenance" : "in_service")}
          >
            {it.state === "in_service" ? "Out of service…" : "Back in service…"}
          </Button>
        ),
    });
  }
  return columns;
}

function Change({
  instrument,
  to,
  close,
}: {
  instrument: Instrument;
  to: InstrumentState;
  close: () => void;
}) {
  const client = useQueryClient();
  const changing = useMutation({
    mutationFn: () =>
      answer<Instrument>(
        api.PUT("/api/v1/instruments/{name}", {
          params: { path: { name: instrument.name } },
          body: { capabilities: instrument.capabilities, profile: instrument.profile, state: to },
        }),
      ),
    onSuccess: async () => {
      say(
        to === "in_service"
          ? `${instrument.name} is back in service.`
          : `${instrument.name} takes no further jobs.`,
      );
      close();
      await client.invalidateQueries({ queryKey: ["instruments"] });
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={to === "in_service" ? `${instrument.name} back in service` : `${instrument.name} out of service`}
    >
      <Stack>
        {changing.error ? <ProblemNotice error={changing.error} what="Nothing was changed" /> : null}
        <Text size="sm">
          {to === "in_service"
            ? "Its agent is given jobs again. Make sure that the deck is as the record says: empty, with fresh tips."
            : "Its agent is given no further job; what it has begun goes to its end. Jobs for it wait."}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Back
          </Button>
          <Button loading={changing.isPending} onClick={() => changing.mutate()}>
            {to === "in_service" ? "Put back in service" : "Take out of service"}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

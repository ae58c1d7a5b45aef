import { Button, Group, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBellRinging, IconDots, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { answer, api } from "../../api/client.ts";
import { channelsQuery } from "../../api/queries.ts";
import type { components } from "../../api/schema";
import type { Channel } from "../../api/types.ts";
import { NewChannel } from "../../channels/NewChannel.tsx";
import { RemoveChannel } from "../../channels/RemoveChannel.tsx";
import { TestChannel } from "../../channels/TestChannel.tsx";
import { KIND, toldWords } from "../../channels/words.ts";
import { FailedOr } from "../../display/FailedOr.tsx";
import { count } from "../../display/format.ts";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { StateBadge } from "../../display/StateBadge.tsx";
import { say, sayProblem } from "../../display/said.ts";
import { When } from "../../display/When.tsx";
import { type Column, DataTable } from "../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/channels")({ component: Page });

type Doing = { what: "test" | "remove"; channel: Channel } | null;

function Page() {
  const channels = useQuery(channelsQuery);
  const [opened, { open, close }] = useDisclosure();
  const [doing, setDoing] = useState<Doing>(null);
  const { mutate: change } = useChange();
  const columns = useMemo(() => makeColumns(setDoing, change), [change]);
  return (
    <>
      <PageHead
        title="Channels"
        note="Where people are told outside of this app: webhooks, Slack, e-mail. Each telling arrives at least once."
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={open}>
            New channel…
          </Button>
        }
      />
      <Panel title="Channels" flush>
        <FailedOr read={channels} what="The channels cannot be read">
          <DataTable
            label="Channels"
            main
            rows={channels.data?.items}
            columns={columns}
            id={(channel) => channel.id}
            empty={
              <Nothing icon={IconBellRinging} title="No channel yet">
                Until there is one, people are told by the bell above and nowhere else.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
      {opened ? <NewChannel close={close} /> : null}
      {doing?.what === "test" ? <TestChannel channel={doing.channel} close={() => setDoing(null)} /> : null}
      {doing?.what === "remove" ? (
        <RemoveChannel channel={doing.channel} close={() => setDoing(null)} />
      ) : null}
    </>
  );
}

/** Switches a channel on or off; everything else stays. */
function useChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (channel: Channel) =>
      answer<components["schemas"]["ChannelAnswer"]>(
        api.PUT("/api/v1/channels/{id}", {
          params: { path: { id: channel.id } },
          body: {
            name: channel.name,
            project_id: channel.project_id,
            topics: channel.topics,
            minimum_severity: channel.minimum_severity,
            escalation_level: channel.escalation_level,
            enabled: !channel.enabled,
          },
        }),
      ),
    onSuccess: ({ channel }) => {
      say(channel.enabled ? `${channel.name} is told again.` : `${channel.name} is told nothing for now.`);
      return client.invalidateQueries({ queryKey: ["channels"] });
    },
    onError: (error) => sayProblem("The channel is as it was", error),
  });
}

const makeColumns = (ask: (doing: Doing) => void, change: (channel: Channel) => void): Column<Channel>[] => [
  {
    key: "name",
    title: "Name",
    by: (it) => it.name,
    cell: (it) => <strong title={it.name}>{it.name}</strong>,
  },
  { key: "kind", title: "Kind", by: (it) => it.kind, cell: (it) => KIND[it.kind].name },
  {
    key: "target",
    title: "Leads to",
    by: (it) => it.target,
    cell: (it) => <span title={it.target}>{it.target}</span>,
  },
  {
    key: "told",
    title: "Is told",
    grows: true,
    from: 800,
    cell: (it) => <span title={toldWords(it)}>{toldWords(it)}</span>,
  },
  {
    key: "state",
    title: "State",
    by: (it) => String(it.enabled),
    cell: (it) => (
      <StateBadge state={it.enabled ? "in_service" : "disabled"} label={it.enabled ? "on" : "disabled"} />
    ),
  },
  {
    key: "last",
    title: "Last arrived",
    by: (it) => it.last_delivered_at,
    cell: (it) => <When at={it.last_delivered_at} none="never" />,
  },
  {
    key: "due",
    title: "Under way",
    numeric: true,
    from: 700,
    by: (it) => it.pending,
    cell: (it) => count(it.pending),
  },
  {
    key: "dead",
    title: "Given up",
    numeric: true,
    by: (it) => it.dead,
    cell: (it) => <span style={{ color: it.dead > 0 ? "var(--lw-bad)" : undefined }}>{count(it.dead)}</span>,
  },
  {
    key: "do",
    title: null,
    hint: "What can be done",
    width: 118,
    cell: (it) => (
      <Group gap={6} wrap="nowrap">
        <Button
          size="compact-xs"
          variant="default"
          disabled={!it.enabled}
          onClick={() => ask({ what: "test", channel: it })}
        >
          Test
        </Button>
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-xs" variant="default" aria-label={`More for ${it.name}`}>
              <IconDots size={14} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => change(it)}>{it.enabled ? "Disable" : "Enable"}</Menu.Item>
            <Menu.Item color="red" onClick={() => ask({ what: "remove", channel: it })}>
              Remove…
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    ),
  },
];

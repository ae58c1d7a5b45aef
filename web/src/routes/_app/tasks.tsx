import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api } from "../../api/client.ts";
import { tasksQuery } from "../../api/queries.ts";
import type { Task } from "../../api/types.ts";
import { Cut } from "../../display/Cut.tsx";
import { Dialog } from "../../display/Dialog.tsx";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { say } from "../../display/said.ts";
import { When } from "../../display/When.tsx";
import { type Column, DataTable } from "../../tables/DataTable.tsx";
import { causeWords, subjectLink } from "../../tasks/subject.ts";

export const Route = createFileRoute("/_app/tasks")({
  validateSearch: (search: Record<string, unknown>): { all?: boolean } => ({
    all: search.all === true || undefined,
  }),
  component: Page,
});

function Page() {
  const { all = false } = Route.useSearch();
  const navigate = useNavigate();
  const tasks = useQuery(tasksQuery(!all));
  const [asked, setAsked] = useState<Task | null>(null);
  const rows = useMemo(
    () => (all ? [...(tasks.data?.items ?? [])].reverse() : tasks.data?.items),
    [all, tasks.data],
  );
  const columns = useMemo(() => makeColumns(setAsked), []);
  return (
    <>
      <PageHead title="Tasks" note="What waits for a person; at most one open for each cause." />
      <Panel
        title={all ? "All tasks" : "Open tasks"}
        flush
        actions={
          <SegmentedControl
            aria-label="Which tasks"
            value={all ? "all" : "open"}
            onChange={(value) => navigate({ to: "/tasks", search: value === "all" ? { all: true } : {} })}
            data={[
              { value: "open", label: "Open" },
              { value: "all", label: "All" },
            ]}
          />
        }
      >
        <FailedOr read={tasks} what="The tasks cannot be read">
          <DataTable
            label="Tasks"
            main
            rows={tasks.data ? rows : undefined}
            columns={columns}
            id={(task) => task.id}
            open={(task) => {
              const link = subjectLink(task);
              if (link) void navigate(link);
            }}
            empty={
              <Nothing icon={IconBell} title="Nothing waits for anybody">
                Jobs in doubt, quarantined plates and held rounds call for a person here, once each.
              </Nothing>
            }
          />
          <Cut list={tasks.data} />
        </FailedOr>
      </Panel>
      {asked ? <CloseTask task={asked} close={() => setAsked(null)} /> : null}
    </>
  );
}

const makeColumns = (ask: (task: Task) => void): Column<Task>[] => [
  {
    key: "cause",
    title: "Cause",
    by: (it) => it.cause,
    cell: (it) => {
      const link = subjectLink(it);
      const text = <strong title={it.cause}>{causeWords(it.cause)}</strong>;
      return link ? <Link {...link}>{text}</Link> : text;
    },
  },
  {
    key: "message",
    grows: true,
    title: "What happened, and what to do",
    cell: (it) => <span title={it.message}>{it.message}</span>,
  },
  {
    key: "opened",
    title: "Opened",
    width: 90,
    by: (it) => it.opened_at,
    cell: (it) => <When at={it.opened_at} />,
  },
  {
    key: "closed",
    title: "Closed",
    width: 200,
    by: (it) => it.closed_at,
    cell: (it) =>
      it.closed_at ? (
        <>
          <When at={it.closed_at} /> {it.closed_by ? `by ${it.closed_by}` : ""}
        </>
      ) : (
        <Button size="compact-xs" variant="default" onClick={() => ask(it)}>
          Dealt with…
        </Button>
      ),
  },
];

function CloseTask({ task, close }: { task: Task; close: () => void }) {
  const client = useQueryClient();
  const closing = useMutation({
    mutationFn: () => api.POST("/api/v1/tasks/{id}/close", { params: { path: { id: task.id } } }),
    onSuccess: async () => {
      say("Off the list.");
      close();
      await client.invalidateQueries({ queryKey: ["tasks"] });
    },
  });
  return (
    <Dialog pending={closing.isPending} opened onClose={close} title="Take it off the list">
      <Stack>
        {closing.error ? <ProblemNotice error={closing.error} what="The task is still open" /> : null}
        <Text size="sm">{task.message}</Text>
        <Text size="sm" c="dimmed">
          This only takes it off the list, under your name. A job in doubt, a plate or a round is decided on
          its own page, and its task then closes by itself.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" disabled={closing.isPending} onClick={close}>
            Back
          </Button>
          <Button loading={closing.isPending} onClick={() => closing.mutate()}>
            It is dealt with
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

import { Button, Group, Select, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, freshKey } from "../api/client.ts";
import type { Campaign, VirtualAnswer, VirtualExperiment } from "../api/types.ts";
import { DoubtBar } from "../batches/DoubtBar.tsx";
import { number, percent } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { readoutColumns } from "../readouts/columns.tsx";
import { useMay } from "../session/may.ts";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { experimentsOf, notesOf } from "./experiments.ts";

/** As long as the server holds a request. */
const WAIT_SECONDS = 30;

/** What the model says of experiments that nobody does: asked of a learner, which may take a while. */
export function VirtualExperiments({ campaign }: { campaign: Campaign }) {
  const may = useMay("batch:edit", "campaign:write");
  const contexts = campaign.spec.design.contexts;
  const [text, setText] = useState("");
  const [context, setContext] = useState(contexts[0] ?? "");
  const experiments = experimentsOf(text, context);
  const asking = useMutation({
    mutationFn: () =>
      answer<VirtualAnswer>(
        api.POST("/api/v1/campaigns/{id}/predictions", {
          params: { path: { id: campaign.id }, header: { "idempotency-key": freshKey() } },
          body: { experiments, wait_seconds: WAIT_SECONDS },
        }),
      ),
  });
  const looking = useMutation({
    mutationFn: (job: string) =>
      answer<VirtualAnswer>(
        api.GET("/api/v1/campaigns/{id}/predictions/{job}", {
          params: { path: { id: campaign.id, job }, query: { wait_seconds: WAIT_SECONDS } },
        }),
      ),
  });
  if (!may) return null;
  const said = looking.data ?? asking.data;
  const error = looking.error ?? asking.error;
  const ask = () => {
    looking.reset();
    asking.mutate();
  };
  return (
    <Panel title="Virtual experiments" note="What the model says of experiments that nobody does">
      <Stack gap="md">
        {error ? <ProblemNotice what="There is no answer" error={error} /> : null}
        <Textarea
          label="Perturbations"
          description="One a line; several edits of one cell are joined by +. They need not be in the design space."
          autosize
          minRows={2}
          maxRows={8}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          spellCheck={false}
        />
        <Group align="end">
          {contexts.length > 1 ? (
            <Select
              label="Context"
              data={contexts}
              value={context}
              onChange={(value) => setContext(value ?? "")}
              allowDeselect={false}
            />
          ) : null}
          <Button loading={asking.isPending} disabled={experiments.length === 0} onClick={ask}>
            Ask the model
          </Button>
        </Group>
        {said ? (
          <Said
            answer={said}
            look={() => looking.mutate(said.job_id)}
            isLooking={looking.isPending || asking.isPending}
          />
        ) : null}
      </Stack>
    </Panel>
  );
}

type SaidProps = { answer: VirtualAnswer; look: () => void; isLooking: boolean };

function Said({ answer: said, look, isLooking }: SaidProps) {
  if (!said.predictions)
    return (
      <Group aria-live="polite">
        <Text size="sm">No learner has answered yet. The question stays.</Text>
        <Button variant="default" size="compact-sm" loading={isLooking} onClick={look}>
          Look again
        </Button>
      </Group>
    );
  const most = Math.max(...said.predictions.map((it) => Math.max(it.epistemic_sd, it.aleatoric_sd)));
  return (
    <div aria-live="polite">
      <DataTable
        label="What the model says"
        rows={said.predictions}
        columns={[...makeColumns(most), ...readoutColumns(said.predictions, 900)]}
        id={(it) => `${it.perturbation}@${it.context}`}
        empty="Nothing was asked."
      />
      {notesOf(said.predictions).map(({ note, names }) => (
        <Text key={note} size="sm" mt="xs" c="dimmed">
          {names.join(", ")}: {note}
        </Text>
      ))}
      <Text size="sm" mt="xs" c="dimmed">
        By version {said.model_version} of the model.
      </Text>
    </div>
  );
}

const interval = ([low, high]: number[]) => `${number(low)} to ${number(high)}`;

function makeColumns(most: number): Column<VirtualExperiment>[] {
  return [
    {
      key: "perturbation",
      title: "Perturbation",
      by: (it) => it.perturbation,
      cell: (it) => <strong>{it.perturbation}</strong>,
    },
    { key: "context", title: "Context", from: 700, by: (it) => it.context, cell: (it) => it.context },
    { key: "mean", title: "Mean", numeric: true, by: (it) => it.mean, cell: (it) => number(it.mean) },
    { key: "of_50", title: "50 %", from: 900, cell: (it) => interval(it.intervals.of_50) },
    { key: "of_80", title: "80 %", from: 900, cell: (it) => interval(it.intervals.of_80) },
    {
      key: "of_90",
      title: "90 %",
      hint: "Nine in ten new values are foretold to lie here",
      cell: (it) => interval(it.intervals.of_90),
    },
    {
      key: "doubt",
      title: "Doubt",
      hint: "Epistemic above (more data would remove it), aleatoric below (it would not)",
      width: 150,
      by: (it) => it.epistemic_sd,
      cell: (it) => <DoubtBar epistemic={it.epistemic_sd} aleatoric={it.aleatoric_sd} most={most} />,
    },
    {
      key: "hit",
      title: "Hit",
      numeric: true,
      by: (it) => it.hit_probability,
      cell: (it) => percent(it.hit_probability),
    },
  ];
}

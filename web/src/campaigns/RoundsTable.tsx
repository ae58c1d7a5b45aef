import { Anchor } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { CampaignProgress, RoundProgress, RoundSummary } from "../api/types.ts";
import { count, duration, percent } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { LabWhen } from "../display/When.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";

const id = (round: RoundProgress) => round.round_id;
const summaryOf = (round: RoundProgress) => round.summary as RoundSummary | null | undefined;

export function RoundsTable({ progress }: { progress: CampaignProgress }) {
  const rounds = useMemo(() => [...progress.rounds].reverse(), [progress.rounds]);
  const columns = useMemo(makeColumns, []);
  return (
    <Panel title="Rounds" note={`${progress.rounds.length} of ${progress.rounds_planned}`} flush>
      <DataTable
        label="Rounds"
        rows={rounds}
        columns={columns}
        id={id}
        empty={
          <Nothing icon={IconRefresh} title="No round has begun">
            The first begins when the calendar says so; before it, a model is trained from the priors.
          </Nothing>
        }
      />
    </Panel>
  );
}

function makeColumns(): Column<RoundProgress>[] {
  return [
    {
      key: "number",
      title: "Round",
      numeric: true,
      width: 60,
      by: (it) => it.number,
      cell: (it) => <strong>{it.number}</strong>,
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "due",
      title: "Began",
      by: (it) => it.due_lab_at,
      cell: (it) => <LabWhen at={it.due_lab_at} short />,
    },
    {
      key: "proposed",
      title: "Proposed",
      numeric: true,
      by: (it) => it.proposed,
      cell: (it) => count(it.proposed),
    },
    {
      key: "dispensed",
      title: "Dispensed",
      numeric: true,
      from: 760,
      by: (it) => it.dispensed,
      cell: (it) => count(it.dispensed),
    },
    {
      key: "passed",
      title: "Passed QC",
      numeric: true,
      by: (it) => it.passed_qc,
      cell: (it) => count(it.passed_qc),
    },
    {
      key: "hits",
      title: "Hits",
      numeric: true,
      by: (it) => it.hits,
      cell: (it) => (
        <span style={{ color: it.hits > 0 ? "var(--lw-hit)" : undefined, fontWeight: 600 }}>
          {count(it.hits)}
        </span>
      ),
    },
    {
      key: "coverage",
      title: "Coverage 90",
      hint: "Share of observations inside their 90 % predictive interval: 90 % is right",
      numeric: true,
      by: (it) => summaryOf(it)?.coverage_90,
      cell: (it) => percent(summaryOf(it)?.coverage_90),
    },
    {
      key: "people",
      title: "Waited for people",
      numeric: true,
      from: 900,
      by: (it) => summaryOf(it)?.waiting_for_people_seconds,
      cell: (it) => duration(summaryOf(it)?.waiting_for_people_seconds),
    },
    {
      key: "batch",
      title: null,
      hint: "Where to go",
      cell: (it) => (
        <>
          {it.batch_id ? (
            <Anchor
              size="sm"
              renderRoot={(props) => (
                <Link {...props} to="/batches/$batchId" params={{ batchId: it.batch_id ?? "" }} />
              )}
            >
              Batch
            </Anchor>
          ) : null}
          {Object.keys(it.plates).length > 0 ? (
            <>
              {" · "}
              <Anchor
                size="sm"
                renderRoot={(props) => <Link {...props} to="/plates" search={{ round: it.round_id }} />}
              >
                Plates
              </Anchor>
            </>
          ) : null}
        </>
      ),
    },
  ];
}

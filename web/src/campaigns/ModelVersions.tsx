import { IconBrain } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { modelsQuery } from "../api/queries.ts";
import type { ModelVersion } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { count, number } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { When } from "../display/When.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { Coverage } from "./Coverage.tsx";

const id = (version: ModelVersion) => version.id;

/** Versions of the model with how well they know what they do not know. */
export function ModelVersions({ campaign }: { campaign: string }) {
  const models = useQuery(modelsQuery(campaign));
  const rows = useMemo(() => (models.data ? [...models.data.items].reverse() : undefined), [models.data]);
  const columns = useMemo(makeColumns, []);
  return (
    <Panel title="Model versions" note="Calibration on held-out folds: a mark on its tick is right" flush>
      <FailedOr read={models} what="The model versions cannot be read">
        <DataTable
          label="Model versions"
          rows={rows}
          columns={columns}
          id={id}
          empty={
            <Nothing icon={IconBrain} title="No model yet">
              The first version is trained from the priors alone, before the first round; each round adds one.
            </Nothing>
          }
        />
      </FailedOr>
    </Panel>
  );
}

function makeColumns(): Column<ModelVersion>[] {
  return [
    {
      key: "number",
      title: "Version",
      numeric: true,
      width: 64,
      by: (it) => it.number,
      cell: (it) => <strong>{it.number}</strong>,
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "rows",
      title: "Trained on",
      hint: "Observations of this campaign; 0: from the priors alone",
      numeric: true,
      by: (it) => it.metrics.training_rows,
      cell: (it) => count(it.metrics.training_rows),
    },
    {
      key: "coverage",
      title: "Coverage 50 / 80 / 90",
      hint: "Share of held-out observations inside their predictive interval; the ticks are where it should be",
      width: 190,
      by: (it) => it.metrics.coverage_90,
      cell: (it) => <Coverage metrics={it.metrics} />,
    },
    {
      key: "ece",
      title: "ECE",
      hint: "Expected calibration error of the hit probability: smaller is better",
      numeric: true,
      by: (it) => it.metrics.hit_ece,
      cell: (it) => number(it.metrics.hit_ece, 3),
    },
    {
      key: "crps",
      title: "CRPS",
      hint: "Continuous ranked probability score on held-out folds, standardised units: smaller is better",
      numeric: true,
      from: 700,
      by: (it) => it.metrics.held_out_crps,
      cell: (it) => number(it.metrics.held_out_crps, 3),
    },
    {
      key: "why",
      grows: true,
      title: "Decided because",
      from: 760,
      cell: (it) => (
        <span title={it.decided_because ?? undefined} style={{ color: "var(--lw-ink-soft)" }}>
          {it.decided_because ?? "–"}
        </span>
      ),
    },
    {
      key: "created",
      title: "Trained",
      by: (it) => it.created_at,
      cell: (it) => <When at={it.created_at} />,
    },
  ];
}

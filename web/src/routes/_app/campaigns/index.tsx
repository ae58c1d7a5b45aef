import { Button } from "@mantine/core";
import { IconPlus, IconTargetArrow } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { campaignsQuery, progressQuery } from "../../../api/queries.ts";
import type { CampaignLine, CampaignProgress, RoundProgress } from "../../../api/types.ts";
import { roundsNow } from "../../../campaigns/stages.ts";
import { Cut } from "../../../display/Cut.tsx";
import { FailedOr } from "../../../display/FailedOr.tsx";
import { count } from "../../../display/format.ts";
import { Nothing } from "../../../display/Nothing.tsx";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { When } from "../../../display/When.tsx";
import { useMay } from "../../../session/may.ts";
import { type Column, DataTable } from "../../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/campaigns/")({ component: Page });

type Row = CampaignLine & { progress?: CampaignProgress };
const id = (row: Row) => row.id;
/** How many campaigns are shown with their progress: each is a request of its own. */
const FOLLOWED = 30;

function Page() {
  const navigate = useNavigate();
  const mayWrite = useMay("campaign:write");
  const campaigns = useQuery(campaignsQuery);
  const lines = campaigns.data?.items;
  const newest = useMemo(() => [...(lines ?? [])].reverse(), [lines]);
  const progress = useQueries({ queries: newest.slice(0, FOLLOWED).map((line) => progressQuery(line.id)) });
  const rows = lines ? newest.map((line, at): Row => ({ ...line, progress: progress[at]?.data })) : undefined;
  const columns = useMemo(makeColumns, []);
  return (
    <>
      <PageHead
        title="Campaigns"
        note="Series of rounds, each towards one goal."
        actions={mayWrite ? <NewCampaign /> : null}
      />
      <Panel title="All campaigns" flush>
        <FailedOr read={campaigns} what="The campaigns cannot be read">
          <DataTable
            label="Campaigns"
            main
            rows={rows}
            columns={columns}
            id={id}
            open={(row) => navigate({ to: "/campaigns/$campaignId", params: { campaignId: row.id } })}
            empty={
              <Nothing
                icon={IconTargetArrow}
                title="No campaign yet"
                action={mayWrite ? <NewCampaign /> : null}
              >
                A campaign is written as a file: goal, design space, assay, budget, calendar. It stands here
                once an engineer has created it, on a page of this app or with{" "}
                <code className="lw-mono">loopwright campaign create -f campaign.toml</code>
              </Nothing>
            }
          />
          <Cut list={campaigns.data} />
        </FailedOr>
      </Panel>
    </>
  );
}

function NewCampaign() {
  return (
    <Button component={Link} to="/campaigns/new" leftSection={<IconPlus size={15} />}>
      New campaign
    </Button>
  );
}

const numbersOf = (rounds: RoundProgress[]) => rounds.map((it) => it.number).join(", ");

function makeColumns(): Column<Row>[] {
  const now = (row: Row) => roundsNow(row.progress?.rounds ?? []);
  return [
    {
      key: "name",
      title: "Campaign",
      by: (it) => it.name,
      cell: (it) => <strong title={it.name}>{it.name}</strong>,
    },
    { key: "state", title: "State", by: (it) => it.state, cell: (it) => <StateBadge state={it.state} /> },
    {
      key: "round",
      title: "Round",
      by: (it) => now(it)[0]?.number,
      cell: (it) => (it.progress ? `${numbersOf(now(it)) || "0"} of ${it.progress.rounds_planned}` : "…"),
    },
    {
      key: "stage",
      title: "Stage",
      cell: (it) =>
        now(it).length > 0
          ? now(it).map((round) => <StateBadge key={round.round_id} state={round.state} />)
          : "–",
    },
    {
      key: "measured",
      title: "Passed QC",
      numeric: true,
      by: (it) => it.progress?.passed_qc,
      cell: (it) => count(it.progress?.passed_qc),
    },
    {
      key: "hits",
      title: "Hits",
      numeric: true,
      by: (it) => it.progress?.hits,
      cell: (it) => count(it.progress?.hits),
    },
    {
      key: "pool",
      title: "Design space",
      numeric: true,
      from: 800,
      by: (it) => it.progress?.pool_size,
      cell: (it) => count(it.progress?.pool_size),
    },
    {
      key: "created",
      title: "Created",
      from: 900,
      by: (it) => it.created_at,
      cell: (it) => <When at={it.created_at} />,
    },
  ];
}

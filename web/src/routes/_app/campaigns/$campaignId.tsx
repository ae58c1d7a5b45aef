import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { campaignQuery, progressQuery, roundQuery } from "../../../api/queries.ts";
import type { Campaign, CampaignProgress } from "../../../api/types.ts";
import { About } from "../../../campaigns/About.tsx";
import classes from "../../../campaigns/Campaign.module.css";
import { CampaignCommands } from "../../../campaigns/CampaignCommands.tsx";
import { LearningCurve } from "../../../campaigns/LearningCurve.tsx";
import { ModelVersions } from "../../../campaigns/ModelVersions.tsx";
import { ResultsMenu } from "../../../campaigns/ResultsMenu.tsx";
import { RoundsTable } from "../../../campaigns/RoundsTable.tsx";
import { Stages } from "../../../campaigns/Stages.tsx";
import { stageWords } from "../../../campaigns/stages.ts";
import { Upcoming } from "../../../campaigns/Upcoming.tsx";
import { VirtualExperiments } from "../../../campaigns/VirtualExperiments.tsx";
import { BlockBones } from "../../../display/Bones.tsx";
import { Facts } from "../../../display/Facts.tsx";
import { count, percent } from "../../../display/format.ts";
import { PageHead } from "../../../display/PageHead.tsx";
import { Panel } from "../../../display/Panel.tsx";
import { ProblemNotice } from "../../../display/ProblemNotice.tsx";
import { StateBadge } from "../../../display/StateBadge.tsx";
import { holdOf } from "../../../orders/types.ts";
import { WaitsFor } from "../../../why/WaitsFor.tsx";
export const Route = createFileRoute("/_app/campaigns/$campaignId")({ component: Page });

const ABOVE = [{ label: "Campaigns", link: { to: "/campaigns" as const } }];

function Page() {
  const { campaignId } = Route.useParams();
  const campaign = useQuery(campaignQuery(campaignId));
  const progress = useQuery(progressQuery(campaignId));
  if (campaign.data && progress.data) return <Shown campaign={campaign.data} progress={progress.data} />;
  const error = campaign.error ?? progress.error;
  return (
    <>
      <PageHead title="Campaign" above={ABOVE} />
      {error ? (
        <ProblemNotice
          what="The campaign cannot be shown"
          error={error}
          again={() => void progress.refetch()}
        />
      ) : (
        <BlockBones height={480} />
      )}
    </>
  );
}

function Shown({ campaign, progress }: { campaign: Campaign; progress: CampaignProgress }) {
  const round = progress.rounds.at(-1);
  const { data: live } = useQuery({ ...roundQuery(round?.round_id ?? ""), enabled: round !== undefined });
  const hold = holdOf(campaign);
  // A live round says for both why nothing moves.
  const isLive = round !== undefined && !["closed", "cancelled", "failed"].includes(round.state);
  const roundHold = holdOf(live);
  // What is said of a round that waits for people, the reasons say better.
  const waits = round?.state === "held" || round?.state === "awaiting_approval";
  const words = round ? (
    <p className={classes.words} title={round.reason_code ?? undefined}>
      {stageWords(round)}
    </p>
  ) : null;
  return (
    <>
      <PageHead
        title={campaign.name}
        above={ABOVE}
        badge={<StateBadge state={progress.state} />}
        note={progress.finished_reason ?? campaign.spec.goal}
        actions={
          <>
            <CampaignCommands progress={progress} roundHold={roundHold} />
            <ResultsMenu campaign={campaign} />
          </>
        }
      />
      {isLive ? null : <WaitsFor kind="campaigns" id={campaign.id} hold={hold} what="The campaign" />}
      <div className={classes.top}>
        <Panel
          title={round ? `Round ${round.number} of ${progress.rounds_planned}` : "Before the first round"}
          actions={
            round?.state === "awaiting_approval" && round.batch_id ? (
              <Button
                size="compact-sm"
                component={Link}
                to="/batches/$batchId"
                params={{ batchId: round.batch_id } as never}
              >
                Review the batch
              </Button>
            ) : null
          }
        >
          {round ? (
            <>
              <Stages round={round} />
              {waits ? null : words}
              <WaitsFor kind="rounds" id={round.round_id} hold={roundHold} what={`Round ${round.number}`}>
                {waits ? words : null}
              </WaitsFor>
            </>
          ) : (
            <p className={classes.words}>
              The first model is trained from the priors; then the first round proposes its batch.
            </p>
          )}
          <Facts
            facts={[
              {
                label: "Hits",
                value: <span style={{ color: "var(--lw-hit)" }}>{count(progress.hits)}</span>,
                hint: "Experiments that passed QC and were called hits",
              },
              {
                label: "Passed QC",
                value: count(progress.passed_qc),
                hint: "Experiments measured on plates that may train",
              },
              {
                label: "Hit rate",
                value: percent(progress.passed_qc > 0 ? progress.hits / progress.passed_qc : null, 1),
              },
              {
                label: "Of the design space",
                value: percent(progress.passed_qc / Math.max(1, progress.pool_size), 1),
                hint: `${count(progress.pool_size)} experiments`,
              },
              {
                label: "Model",
                value: progress.promoted_model_version ? `version ${progress.promoted_model_version}` : "–",
                hint: "The version that proposes next",
              },
            ]}
          />
        </Panel>
        <Upcoming campaign={campaign.id} />
      </div>
      <div className={classes.grid}>
        <LearningCurve progress={progress} />
        <About campaign={campaign} />
      </div>
      <div className={classes.rows}>
        <RoundsTable progress={progress} />
        <ModelVersions campaign={campaign.id} />
        <VirtualExperiments campaign={campaign} />
      </div>
    </>
  );
}

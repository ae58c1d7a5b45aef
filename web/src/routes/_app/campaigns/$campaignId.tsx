import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { campaignQuery, progressQuery } from "../../../api/queries.ts";
import type { Campaign, CampaignProgress } from "../../../api/types.ts";
import { About } from "../../../campaigns/About.tsx";
import classes from "../../../campaigns/Campaign.module.css";
import { CampaignCommands } from "../../../campaigns/CampaignCommands.tsx";
import { LearningCurve } from "../../../campaigns/LearningCurve.tsx";
import { ModelVersions } from "../../../campaigns/ModelVersions.tsx";
import { ResultsMenu } from "../../../campaigns/ResultsMenu.tsx";
import { RoundPanel } from "../../../campaigns/RoundPanel.tsx";
import { RoundsTable } from "../../../campaigns/RoundsTable.tsx";
import { isLive, roundsNow } from "../../../campaigns/stages.ts";
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
  if (campaign.data && progress.data) {
    // A key: what was asked and typed of one campaign does not stay on the page of another.
    return <Shown key={campaignId} campaign={campaign.data} progress={progress.data} />;
  }
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
  const rounds = roundsNow(progress.rounds);
  // A live round says for both why nothing moves.
  const runs = rounds.some(isLive);
  const facts = (
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
  );
  return (
    <>
      <PageHead
        title={campaign.name}
        above={ABOVE}
        badge={<StateBadge state={progress.state} />}
        note={progress.finished_reason ?? campaign.spec.goal}
        actions={
          <>
            <CampaignCommands progress={progress} />
            <ResultsMenu campaign={campaign} />
          </>
        }
      />
      {runs ? null : (
        <WaitsFor kind="campaigns" id={campaign.id} hold={holdOf(campaign)} what="The campaign" />
      )}
      <div className={classes.top}>
        <div className={classes.rows}>
          {rounds.map((round, at) => (
            <RoundPanel key={round.round_id} progress={progress} round={round}>
              {at === 0 ? facts : null}
            </RoundPanel>
          ))}
          {rounds.length === 0 ? (
            <Panel title="Before the first round">
              <p className={classes.words}>
                The first model is trained from the priors; then the first round proposes its batch.
              </p>
              {facts}
            </Panel>
          ) : null}
        </div>
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

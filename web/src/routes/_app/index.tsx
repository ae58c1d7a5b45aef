import { Text } from "@mantine/core";
import { IconCoffee, IconTargetArrow } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import {
  campaignsQuery,
  clockQuery,
  doubtfulJobsQuery,
  platesQuery,
  progressQuery,
  tasksQuery,
  waitingBatchesQuery,
} from "../../api/queries.ts";
import { byHandQuery } from "../../by-hand/queries.ts";
import { Stages } from "../../campaigns/Stages.tsx";
import { roundsNow, stageWords } from "../../campaigns/stages.ts";
import { BlockBones } from "../../display/Bones.tsx";
import { FailedOr } from "../../display/FailedOr.tsx";
import { count, plural, spokenName } from "../../display/format.ts";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { StateBadge } from "../../display/StateBadge.tsx";
import classes from "../../home/Home.module.css";
import { Lately } from "../../home/Lately.tsx";
import { NeedCard } from "../../home/NeedCard.tsx";
import { needs } from "../../home/needs.ts";
import { may, useSession } from "../../session/may.ts";
import { Standstills } from "../../why/Standstills.tsx";

export const Route = createFileRoute("/_app/")({ component: Page });

const FOLLOWED = 12;

function Page() {
  const session = useSession();
  const clock = useQuery(clockQuery);
  const campaigns = useQuery(campaignsQuery);
  const batches = useQuery(waitingBatchesQuery);
  const doubts = useQuery(doubtfulJobsQuery);
  const quarantined = useQuery(platesQuery({ state: "quarantined" }));
  const hands = useQuery(byHandQuery);
  const tasks = useQuery(tasksQuery(true));
  const running = useMemo(
    () =>
      (campaigns.data?.items ?? [])
        .filter((it) => it.state === "active" || it.state === "paused")
        .slice(-FOLLOWED),
    [campaigns.data],
  );
  const progress = useQueries({ queries: running.map((campaign) => progressQuery(campaign.id)) });
  const followed = progress.flatMap((it) => (it.data ? [it.data] : []));

  const reads = [batches, doubts, quarantined, hands, tasks];
  const ready = reads.every((read) => read.data !== undefined);
  const failed = reads.find((read) => read.error && read.data === undefined);
  const list = needs({
    batches: batches.data?.items ?? [],
    doubts: doubts.data?.items ?? [],
    plates: quarantined.data?.items ?? [],
    campaigns: followed,
    hands: may(session, "work:people") ? (hands.data ?? []) : [],
    tasks: tasks.data?.items ?? [],
  });

  return (
    <>
      <PageHead
        title={`${greeting(new Date())}, ${spokenName(session.user.display_name)}`}
        note={
          ready
            ? list.length === 0
              ? "Nothing waits for you."
              : `${plural(list.length, "thing")} wait${list.length === 1 ? "s" : ""} for a person.`
            : "\u00a0"
        }
      />
      <div className={classes.grid}>
        <div className={classes.column}>
          <Panel
            title="What needs you now"
            note={ready && list.length > 0 ? String(list.length) : undefined}
            flush
          >
            {failed ? (
              <div style={{ padding: 16 }}>
                <ProblemNotice
                  what="What waits cannot be read"
                  error={failed.error}
                  again={() => void failed.refetch()}
                />
              </div>
            ) : !ready ? (
              <div style={{ padding: 16 }}>
                <BlockBones height={120} />
              </div>
            ) : list.length === 0 ? (
              <Nothing icon={IconCoffee} title="All is decided">
                Batches to approve, jobs in doubt, plates that failed QC, held rounds and steps by hand show
                here as soon as they wait.
                {clock.data?.mode === "jumping" ? " The demo works on by itself meanwhile." : ""}
              </Nothing>
            ) : (
              <ul className={classes.needs}>
                {list.map((need) => (
                  <NeedCard key={need.key} need={need} />
                ))}
              </ul>
            )}
          </Panel>
          <Standstills />
        </div>
        <div className={classes.column}>
          <Panel title="Running campaigns" flush>
            {campaigns.data === undefined ? (
              <FailedOr read={campaigns} what="The campaigns cannot be read">
                <div style={{ padding: 16 }}>
                  <BlockBones height={120} />
                </div>
              </FailedOr>
            ) : running.length === 0 ? (
              <Nothing icon={IconTargetArrow} title="No campaign is running">
                A campaign shows here with its live round from the moment it is created until it has ended.
              </Nothing>
            ) : (
              <ul className={classes.campaigns}>
                {running.map((campaign) => {
                  const it = followed.find((one) => one.campaign_id === campaign.id);
                  const rounds = roundsNow(it?.rounds ?? []);
                  return (
                    <li key={campaign.id} className={classes.campaign}>
                      <div className={classes.campaignHead}>
                        <Link
                          to="/campaigns/$campaignId"
                          params={{ campaignId: campaign.id }}
                          className={classes.name}
                          title={campaign.name}
                        >
                          {campaign.name}
                        </Link>
                        <StateBadge state={campaign.state} />
                      </div>
                      {it ? (
                        <>
                          {rounds.map((round) => (
                            <div key={round.round_id}>
                              <Text size="sm" c="dimmed">
                                Round {round.number} of {it.rounds_planned}: {stageWords(round)}
                              </Text>
                              <div className={classes.stages}>
                                <Stages round={round} />
                              </div>
                            </div>
                          ))}
                          {rounds.length === 0 ? (
                            <Text size="sm" c="dimmed">
                              Before the first round.
                            </Text>
                          ) : null}
                          <Text size="sm">
                            <strong style={{ color: "var(--lw-hit)" }}>{plural(it.hits, "hit")}</strong> in{" "}
                            {count(it.passed_qc)} of {count(it.pool_size)} experiments
                          </Text>
                        </>
                      ) : (
                        <BlockBones height={90} />
                      )}
                    </li>
                  );
                })}
              </ul>
            )}
          </Panel>
          <Lately />
        </div>
      </div>
    </>
  );
}

function greeting(now: Date) {
  const hour = now.getHours();
  if (hour < 5) return "Good night";
  if (hour < 12) return "Good morning";
  return hour < 18 ? "Good afternoon" : "Good evening";
}

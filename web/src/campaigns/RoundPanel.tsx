import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { roundQuery } from "../api/queries.ts";
import type { CampaignProgress, RoundProgress } from "../api/types.ts";
import { Panel } from "../display/Panel.tsx";
import { Orders } from "../orders/Orders.tsx";
import { holdOf } from "../orders/types.ts";
import { WaitsFor } from "../why/WaitsFor.tsx";
import classes from "./Campaign.module.css";
import { Stages } from "./Stages.tsx";
import { stageWords } from "./stages.ts";

type Props = { progress: CampaignProgress; round: RoundProgress; children?: ReactNode };

/** A round on its way: its stages, what it waits for, and what can be ordered of it. */
export function RoundPanel({ progress, round, children }: Props) {
  const { data: live } = useQuery(roundQuery(round.round_id));
  const hold = holdOf(live);
  const name = `round ${round.number}`;
  // What is said of a round that waits for people, the reasons say better.
  const waits = round.state === "held" || round.state === "awaiting_approval";
  const words = (
    <p className={classes.words} title={round.reason_code ?? undefined}>
      {stageWords(round)}
    </p>
  );
  return (
    <Panel
      title={`Round ${round.number} of ${progress.rounds_planned}`}
      actions={
        <>
          {round.state === "awaiting_approval" && round.batch_id ? (
            <Button
              size="compact-sm"
              component={Link}
              to="/batches/$batchId"
              params={{ batchId: round.batch_id } as never}
            >
              Review the batch
            </Button>
          ) : null}
          <Orders
            small
            subject={{ kind: "round", id: round.round_id, name: `${name} of ${progress.name}` }}
            state={round.state}
            hold={hold}
          />
        </>
      }
    >
      <Stages round={round} />
      {waits ? null : words}
      <WaitsFor kind="rounds" id={round.round_id} hold={hold} what={`Round ${round.number}`}>
        {waits ? words : null}
      </WaitsFor>
      {children}
    </Panel>
  );
}

import { Button, Paper, Text } from "@mantine/core";
import { IconHandGrab } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useState } from "react";
import classes from "../../by-hand/ByHand.module.css";
import { HandCard } from "../../by-hand/HandCard.tsx";
import { atBenchQuery } from "../../by-hand/queries.ts";
import { sectionsOf } from "../../by-hand/sections.ts";
import type { ByHand, Trouble } from "../../by-hand/types.ts";
import type { Bench } from "../../by-hand/useAct.ts";
import { BlockBones } from "../../display/Bones.tsx";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { may, ROLE_FOR, useSession } from "../../session/may.ts";

export const Route = createFileRoute("/_app/by-hand")({ component: Page });

function Page() {
  const steps = useQuery(atBenchQuery);
  const [trouble, tell] = useState<Trouble | null>(null);
  const [taken, take] = useState<string | null>(null);
  // The card and its buttons go: the page goes on from its head, also for whoever does not see it.
  const leave = () => document.getElementById("page-title")?.focus({ preventScroll: true });
  const bench: Bench = { trouble, tell, taken, take, leave };
  const isGone = trouble && steps.data && !steps.data.some((step) => step.id === trouble.step.id);
  return (
    <>
      <PageHead title="By hand" note="Steps that people do: take one, do it, and say how it ended." />
      {isGone ? (
        <div style={{ marginBottom: "var(--mantine-spacing-md)" }}>
          <ProblemNotice what={trouble.what} error={trouble.error}>
            <Text size="sm">It is no longer on this page: {trouble.step.instruction}</Text>
            <Button variant="default" h={44} mt={8} onClick={() => tell(null)}>
              I have read it
            </Button>
          </ProblemNotice>
        </div>
      ) : null}
      <FailedOr read={steps} what="The steps cannot be read">
        {steps.data === undefined ? (
          <div className={classes.bones}>
            <BlockBones height={260} />
            <BlockBones height={260} />
          </div>
        ) : (
          <Steps steps={steps.data ?? []} bench={bench} />
        )}
      </FailedOr>
    </>
  );
}

function Steps({ steps, bench }: { steps: ByHand[]; bench: Bench }) {
  const session = useSession();
  const acts = may(session, "work:people");
  if (steps.length === 0) {
    return (
      <Paper>
        <Nothing icon={IconHandGrab} title="Nothing waits for hands">
          Steps under <code className="lw-mono">[[assay.by_hand]]</code> of a campaign come here when their
          plate is ready for them: sealing, spinning, unsealing, moving.
        </Nothing>
      </Paper>
    );
  }
  return (
    <>
      {acts ? null : (
        <Text size="sm" c="dimmed" mb="md">
          Taking a step needs the role {ROLE_FOR["work:people"]}.
        </Text>
      )}
      {sectionsOf(steps, session.user.id).map(({ whose, title, steps: found }) => (
        <section key={whose} className={classes.section} aria-label={title}>
          <h2 className={classes.heading}>
            {title} <span className={classes.count}>{found.length}</span>
          </h2>
          <ul className={classes.cards}>
            {found.map((step) => (
              <li key={`${step.id} ${step.attempt}`}>
                <HandCard step={step} whose={whose} may={acts} bench={bench} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

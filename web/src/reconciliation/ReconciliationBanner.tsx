import { Button, Text, Tooltip } from "@mantine/core";
import { IconDatabaseExclamation } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { AskReason } from "../display/AskReason.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { When } from "../display/When.tsx";
import { useMayEverywhere } from "../session/may.ts";
import classes from "../shell/Banner.module.css";
import { close, excuse, reconciliationQuery } from "./queries.ts";
import type { PartyState, Reconciliation } from "./types.ts";
import { becauseWords, closeFault, isOpen, lossWords, partyWords } from "./words.ts";

const TONES: Record<PartyState, string> = { awaited: "bad", reconciled: "good", excused: "busy" };

/** Above every page while robots get no work because the database was lost: who has told what it did, who has not. */
export function ReconciliationBanner() {
  const { data } = useQuery(reconciliationQuery);
  return isOpen(data) ? <Shown it={data} /> : null;
}

function Shown({ it }: { it: Reconciliation }) {
  const may = useMayEverywhere("job:resolve");
  const [asked, setAsked] = useState<{ excuse: string } | "close" | null>(null);
  const fault = closeFault(it);
  const loss = lossWords(it);
  return (
    <section className={classes.banner} data-tone="warn" aria-label="Reconciliation">
      <div className={classes.words}>
        <p role="alert" className={classes.title}>
          <IconDatabaseExclamation size={18} stroke={1.9} aria-hidden />
          {becauseWords(it)}: no robot is given work
          <span className={classes.by}>
            since <When at={it.opened_at} />, until every agent has told what it did.
          </span>
        </p>
        <ul className={classes.places} aria-label="Who has told what it did">
          {it.instruments.map((party) => (
            <li key={party.instrument} className={classes.place} data-tone={TONES[party.state]}>
              <strong>{party.instrument}</strong> {partyWords(party)}
              {may && party.state === "awaited" ? (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="gray"
                  ml={4}
                  aria-label={`Excuse ${party.instrument}…`}
                  onClick={() => setAsked({ excuse: party.instrument })}
                >
                  Excuse…
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
        {loss ? (
          <output className={classes.summary}>
            {loss}{" "}
            <Link to="/jobs" search={{ state: "in_doubt" }}>
              Look at them
            </Link>
          </output>
        ) : null}
      </div>
      {may ? (
        <Tooltip label={fault ?? "Robots are given work again"}>
          <Button
            variant="default"
            className={classes.resume}
            data-disabled={fault !== null || undefined}
            aria-disabled={fault !== null}
            onClick={() => (fault === null ? setAsked("close") : undefined)}
          >
            Close…
          </Button>
        </Tooltip>
      ) : null}
      {asked ? <Ask asked={asked} it={it} leave={() => setAsked(null)} /> : null}
    </section>
  );
}

type AskProps = { asked: { excuse: string } | "close"; it: Reconciliation; leave: () => void };

const FAILED = "Nothing was changed";

function Ask({ asked, it, leave }: AskProps) {
  const client = useQueryClient();
  const deciding = useMutation({
    mutationFn: (reason: string) => (asked === "close" ? close(reason) : excuse(asked.excuse, reason)),
    onSuccess: async (now) => {
      client.setQueryData(reconciliationQuery.queryKey, now);
      say(now.closed_at ? "Robots are given work again." : "It is not waited for any more.");
      leave();
      await client.invalidateQueries();
    },
    onError: useSayIfGone(FAILED),
  });
  const loss = lossWords(it);
  return (
    <AskReason
      title={asked === "close" ? "Give robots work again" : `Do not wait for ${asked.excuse}`}
      button={asked === "close" ? "Close the reconciliation" : "Excuse it"}
      act={deciding.mutate}
      pending={deciding.isPending}
      error={deciding.error}
      failed={FAILED}
      close={leave}
    >
      <Text size="sm">
        {asked === "close"
          ? "Every agent has told what it did, or is excused. Work is given out again; jobs in doubt stay with people."
          : "Nobody waits for its agent any more: what it did since is known otherwise, or nothing. What it still holds is taken when it comes back."}
      </Text>
      {asked === "close" && loss ? (
        <Text size="sm" fw={560} c="var(--lw-warn)">
          {loss} Look at the bench first.
        </Text>
      ) : null}
    </AskReason>
  );
}

import { Button, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHandStop } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { AskReason } from "../display/AskReason.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { When } from "../display/When.tsx";
import { ROLE_FOR, useMayEverywhere } from "../session/may.ts";
import classes from "../shell/Banner.module.css";
import { laboratoryQuery, resumeLaboratory } from "./queries.ts";
import { SafetyWord } from "./SafetyWord.tsx";
import { afterWords, saidOf, summaryOf } from "./standing.ts";
import type { Laboratory, Stop } from "./types.ts";

/** Where the header leads while the laboratory is stopped. */
export const STOP_BANNER = "laboratory-stopped";

/** Stands above every page while the laboratory is stopped: by whom, why, and how each agent stands. */
export function StopBanner() {
  const { data } = useQuery(laboratoryQuery);
  if (!data?.stop) return null;
  return <Shown laboratory={data} stop={data.stop} />;
}

function Shown({ laboratory, stop }: { laboratory: Laboratory; stop: Stop }) {
  const may = useMayEverywhere("job:resolve");
  const [opened, { open, close }] = useDisclosure();
  return (
    <section id={STOP_BANNER} tabIndex={-1} className={classes.banner} aria-label="The laboratory is stopped">
      <div className={classes.words}>
        <p role="alert" className={classes.title}>
          <IconHandStop size={18} stroke={1.9} aria-hidden />
          The laboratory is stopped
          <span className={classes.by}>
            by {stop.ordered_by} <When at={stop.ordered_at} />: <q>{stop.reason}</q>
          </span>
        </p>
        <ul className={classes.places} aria-label="How each agent stands">
          {laboratory.places.map((place) => {
            const { tone, words } = saidOf(place);
            const after = afterWords(place);
            return (
              <li key={`${place.place} ${place.worker ?? ""}`} data-tone={tone} className={classes.place}>
                <strong>{place.place}</strong> {words}
                {after ? <span className={classes.after}> {after}</span> : null}
              </li>
            );
          })}
        </ul>
        <output className={classes.summary}>{summaryOf(laboratory)}</output>
        <span className={classes.safety}>In danger, the button on the device is the safety function.</span>
      </div>
      {may ? (
        <Button variant="default" onClick={open} className={classes.resume}>
          Resume…
        </Button>
      ) : (
        <Text size="xs" c="dimmed" className={classes.resume}>
          Resuming needs the role {ROLE_FOR["job:resolve"]}, everywhere.
        </Text>
      )}
      {opened ? <Ask laboratory={laboratory} close={close} /> : null}
    </section>
  );
}

const FAILED = "The laboratory stays stopped";

function Ask({ laboratory, close }: { laboratory: Laboratory; close: () => void }) {
  const client = useQueryClient();
  const resuming = useMutation({
    mutationFn: resumeLaboratory,
    onSuccess: async (now) => {
      client.setQueryData(laboratoryQuery.queryKey, now);
      say("The laboratory goes on.");
      close();
      await client.invalidateQueries();
    },
    onError: useSayIfGone(FAILED),
  });
  const silent = laboratory.not_confirmed;
  return (
    <AskReason
      title="Let the laboratory go on"
      button="Resume the laboratory"
      act={resuming.mutate}
      pending={resuming.isPending}
      error={resuming.error}
      failed={FAILED}
      close={close}
    >
      {silent.length > 0 ? (
        <Text size="sm" fw={560} c="var(--lw-bad)">
          {silent.join(", ")} {silent.length === 1 ? "has" : "have"} not confirmed the stop. Look there first.
        </Text>
      ) : null}
      <Text size="sm">
        Work is given out again. What was stopped stays ended: jobs in doubt wait for a person to look at the
        bench, and rounds held for them are resumed one by one.
      </Text>
      <SafetyWord />
    </AskReason>
  );
}

import { Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHandStop } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { AskReason } from "../display/AskReason.tsx";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { useMayEverywhere } from "../session/may.ts";
import { isTyping } from "../shell/typing.ts";
import { laboratoryQuery, stopLaboratory } from "./queries.ts";
import { SafetyWord } from "./SafetyWord.tsx";
import classes from "./StopAll.module.css";
import { STOP_BANNER } from "./StopBanner.tsx";

/** Opens the dialog from any page. */
export const STOP_KEY = "!";

/** Stops every robot, from every page: pressed once, then said why. While it is stopped, it says so and leads there. */
export function StopAll() {
  const may = useMayEverywhere("job:resolve");
  const { data } = useQuery(laboratoryQuery);
  const [opened, { open, close }] = useDisclosure();
  const offered = may && Boolean(data) && !data?.stop;
  useEffect(() => {
    if (!offered) return;
    const listen = (event: KeyboardEvent) => {
      if (event.key !== STOP_KEY || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      open();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [offered, open]);
  if (data?.stop) {
    return (
      <UnstyledButton
        className={classes.button}
        data-stopped
        onClick={() => document.getElementById(STOP_BANNER)?.focus()}
        title="The laboratory is stopped: by whom, why, and how each agent stands"
      >
        <IconHandStop size={16} stroke={1.9} aria-hidden />
        Stopped
      </UnstyledButton>
    );
  }
  if (!offered) return null;
  return (
    <>
      <UnstyledButton className={classes.button} onClick={open} title={`Stop all robots (${STOP_KEY})`}>
        <IconHandStop size={16} stroke={1.9} aria-hidden />
        Stop all<span className={classes.dots}>…</span>
      </UnstyledButton>
      {opened ? <Ask close={close} /> : null}
    </>
  );
}

const FAILED = "The laboratory was not stopped: use the buttons on the devices";

function Ask({ close }: { close: () => void }) {
  const client = useQueryClient();
  const sayIfGone = useSayIfGone(FAILED);
  const stopping = useMutation({
    mutationFn: stopLaboratory,
    onSuccess: (laboratory) => {
      client.setQueryData(laboratoryQuery.queryKey, laboratory);
      close();
    },
    onError: (error) => {
      // Its answer may be lost, or somebody else was faster: it is stopped, and the banner says so.
      if (!client.getQueryData(laboratoryQuery.queryKey)?.stop) sayIfGone(error);
    },
  });
  return (
    <AskReason
      title="Stop all robots"
      button="Stop all now"
      danger
      fast
      act={stopping.mutate}
      pending={stopping.isPending}
      error={stopping.error}
      failed={FAILED}
      close={close}
    >
      <Text size="sm">
        Every agent is told at once. No further work of devices or hands is given out; what runs goes to its
        next safe point and ends there. It stays so, also over restarts, until somebody resumes it.
      </Text>
      <SafetyWord />
    </AskReason>
  );
}

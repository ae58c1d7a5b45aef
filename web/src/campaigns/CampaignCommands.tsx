import { Button, Checkbox, Group, Menu, Modal, Stack, Text, Textarea } from "@mantine/core";
import { IconDots, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, freshKey } from "../api/client.ts";
import { problemOf } from "../api/problem.ts";
import type { CampaignProgress } from "../api/types.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { useMay } from "../session/may.ts";

type Command = "start" | "pause" | "resume" | "cancel" | "hold" | "resume-round";

type Words = { title: string; text: string; button: string; done: string; reason: boolean; asksWhy?: false };
const WORDS: Record<Command, Words> = {
  start: {
    title: "Start a round now",
    text: "Whatever the calendar says. Its own ticks stay as they are.",
    button: "Start it",
    done: "The round begins.",
    reason: false,
    asksWhy: false,
  },
  pause: {
    title: "Pause the campaign",
    text: "No further round begins. The one under way goes on to its end.",
    button: "Pause",
    done: "Paused.",
    reason: false,
  },
  resume: {
    title: "Resume the campaign",
    text: "Rounds begin again by the calendar.",
    button: "Resume",
    done: "Resumed.",
    reason: false,
  },
  cancel: {
    title: "End the campaign",
    text: "The live round is cancelled with it, and no further one begins. What was measured stays. This cannot be taken back.",
    button: "End it for good",
    done: "The campaign has ended.",
    reason: true,
  },
  hold: {
    title: "Hold the round",
    text: "It stands still where it is; what devices have begun goes to its end. Somebody has to resume it.",
    button: "Hold",
    done: "The round is held.",
    reason: true,
  },
  "resume-round": {
    title: "Resume the round",
    text: "It goes on from where it was held.",
    button: "Resume",
    done: "The round goes on.",
    reason: false,
  },
};

/** Pause, resume, hold, end: each asked once more, with a reason where the record wants one. */
export function CampaignCommands({ progress }: { progress: CampaignProgress }) {
  const may = useMay("campaign:write");
  const [asked, setAsked] = useState<Command | null>(null);
  const round = progress.rounds.at(-1);
  const isLive = round && !["closed", "cancelled", "failed"].includes(round.state);
  const ended = progress.state === "finished" || progress.state === "cancelled";
  if (!may || ended) return null;
  const held = round?.state === "held";
  return (
    <>
      {isLive ? null : (
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={15} />}
          onClick={() => setAsked("start")}
        >
          Start a round now…
        </Button>
      )}
      {held ? (
        <Button leftSection={<IconPlayerPlay size={15} />} onClick={() => setAsked("resume-round")}>
          Resume round {round.number}…
        </Button>
      ) : null}
      <Button
        variant="default"
        leftSection={
          progress.state === "paused" ? <IconPlayerPlay size={15} /> : <IconPlayerPause size={15} />
        }
        onClick={() => setAsked(progress.state === "paused" ? "resume" : "pause")}
      >
        {progress.state === "paused" ? "Resume…" : "Pause…"}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px="xs" aria-label="More">
            <IconDots size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {isLive && !held ? (
            <Menu.Item onClick={() => setAsked("hold")}>Hold round {round.number}…</Menu.Item>
          ) : null}
          {isLive ? <Menu.Item onClick={() => setAsked("start")}>Start another round now…</Menu.Item> : null}
          <Menu.Item color="red" onClick={() => setAsked("cancel")}>
            End the campaign…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked ? (
        <Asked
          command={asked}
          campaign={progress.campaign_id}
          round={round?.round_id}
          close={() => setAsked(null)}
        />
      ) : null}
    </>
  );
}

type AskedProps = { command: Command; campaign: string; round: string | undefined; close: () => void };

function Asked({ command, campaign, round, close }: AskedProps) {
  const words = WORDS[command];
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [despite, setDespite] = useState(false);
  const doing = useMutation({
    mutationFn: () => send(command, campaign, round ?? "", reason.trim(), despite),
    onSuccess: async () => {
      say(words.done);
      close();
      for (const name of ["campaigns", "progress", "tasks", "rounds", "batches"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Modal opened onClose={close} title={words.title}>
      <Stack>
        {doing.error ? (
          <ProblemNotice
            error={doing.error}
            what={command === "start" ? "No round was started" : "Nothing was changed"}
          />
        ) : null}
        <Text size="sm">{words.text}</Text>
        {command === "start" && (despite || problemCode(doing.error) === "round.in_blackout") ? (
          <Checkbox
            label="Although the laboratory is closed"
            checked={despite}
            onChange={(event) => setDespite(event.currentTarget.checked)}
          />
        ) : null}
        {words.asksWhy === false ? null : (
          <Textarea
            label="Why"
            description={words.reason ? undefined : "Optional; it goes into the record."}
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Back
          </Button>
          <Button
            color={command === "cancel" ? "red" : undefined}
            loading={doing.isPending}
            disabled={words.reason && !reason.trim()}
            onClick={() => doing.mutate()}
          >
            {words.button}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

const problemCode = (error: unknown) => (error ? problemOf(error).code : null);

async function send(command: Command, campaign: string, round: string, reason: string, despite: boolean) {
  const header = { "idempotency-key": freshKey() };
  const ofCampaign = { path: { id: campaign }, header };
  const ofRound = { path: { id: round }, header };
  const body = { reason: reason || null };
  switch (command) {
    case "start":
      await api.POST("/api/v1/campaigns/{id}/start-round", {
        params: ofCampaign,
        body: { despite_blackout: despite },
      });
      return;
    case "pause":
      await api.POST("/api/v1/campaigns/{id}/pause", { params: ofCampaign, body });
      return;
    case "resume":
      await api.POST("/api/v1/campaigns/{id}/resume", { params: ofCampaign, body });
      return;
    case "cancel":
      await api.POST("/api/v1/campaigns/{id}/cancel", { params: ofCampaign, body: { reason } });
      return;
    case "hold":
      await api.POST("/api/v1/rounds/{id}/hold", { params: ofRound, body: { reason } });
      return;
    case "resume-round":
      await api.POST("/api/v1/rounds/{id}/resume", { params: ofRound });
      return;
  }
}

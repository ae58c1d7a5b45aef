import { Alert, Button, Group, Radio, Stack, Text, Textarea } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client.ts";
import type { components } from "../api/schema";
import type { JobDetail, Resolution } from "../api/types.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { When } from "../display/When.tsx";
import { ROLE_FOR, useMay } from "../session/may.ts";
import classes from "./Doubt.module.css";
import { isEmpty } from "./json.ts";
import { Fields } from "./Payload.tsx";

const CHOICES: { value: Resolution; label: string; description: string }[] = [
  {
    value: "done",
    label: "It was done",
    description: "You saw that the step came to its end. The plate goes on as if the device had said so.",
  },
  {
    value: "not_done",
    label: "It was not done",
    description: "Nothing moved, or nothing that matters. A job like it takes its place.",
  },
  {
    value: "plate_lost",
    label: "The plate is lost",
    description:
      "It is spoilt, or nobody can say what is in it. Its further jobs are cancelled, and a new generation is planned.",
  },
];

/** A job that was begun and of which nobody knows how it ended: what is known, and the three safe answers. */
export function Doubt({ job }: { job: JobDetail }) {
  const may = useMay("job:resolve");
  const client = useQueryClient();
  const [resolution, setResolution] = useState<Resolution | null>(null);
  const [reason, setReason] = useState("");
  const resolving = useMutation({
    mutationFn: (chosen: Resolution) =>
      answer<components["schemas"]["ResolveAnswer"]>(
        api.POST("/api/v1/jobs/{id}/resolve", {
          params: { path: { id: job.id } },
          body: { resolution: chosen, reason: reason.trim() },
        }),
      ),
    onSuccess: async ({ replaced_by: next }) => {
      say(next ? "Recorded; a job like it takes its place." : "Recorded.");
      for (const name of ["jobs", "tasks", "plates", "progress"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  if (!job.in_doubt) return null;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconEye size={20} />}
      title="Go and look: nobody knows how this ended"
      mb="md"
    >
      <Text size="sm">
        {job.worker ?? job.instrument ?? "Its worker"} began it (attempt {job.in_doubt.attempt}) and has not
        said how it ended. In doubt since <When at={job.in_doubt.since} />. It is not repeated, and nothing
        that depends on it moves, until somebody says what they saw.
      </Text>
      {isEmpty(job.in_doubt.known) ? null : (
        <div className={classes.known}>
          <Fields value={job.in_doubt.known} />
        </div>
      )}
      {resolving.error ? <ProblemNotice what="Nothing was recorded" error={resolving.error} /> : null}
      <Stack gap="sm" mt="sm">
        <Radio.Group
          aria-label="What you saw"
          value={resolution}
          onChange={(value) => setResolution(value as Resolution)}
        >
          <div className={classes.choices}>
            {CHOICES.map((choice) => (
              <Radio.Card
                key={choice.value}
                value={choice.value}
                className={classes.choice}
                disabled={!may}
                aria-label={choice.label}
              >
                <Group wrap="nowrap" align="flex-start" gap="sm">
                  <Radio.Indicator mt={2} />
                  <div>
                    <Text size="sm" fw={600}>
                      {choice.label}
                    </Text>
                    <Text size="sm" c="dimmed">
                      {choice.description}
                    </Text>
                  </div>
                </Group>
              </Radio.Card>
            ))}
          </div>
        </Radio.Group>
        <Textarea
          label="What you saw"
          description={
            may ? "In your words, for the record." : `Deciding needs the role ${ROLE_FOR["job:resolve"]}.`
          }
          autosize
          minRows={2}
          disabled={!may}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button
            disabled={!may || !resolution || !reason.trim()}
            loading={resolving.isPending}
            onClick={() => resolution && resolving.mutate(resolution)}
          >
            Record it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}

import { Button, Select, Stack, Text } from "@mantine/core";
import type { Project } from "../../api/types.ts";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";

type Props = {
  /** Those in which one may create campaigns. */
  projects: readonly Project[];
  project: string | null;
  choose: (project: string | null) => void;
  name: string | undefined;
  /** Why it cannot be created yet. */
  reason: string | null;
  create: () => void;
  isPending: boolean;
  error: unknown;
};

const REASON = "why-not-created";

/** The last step: where the campaign belongs, and the button that creates it. */
export function CreatePanel(props: Props) {
  const { projects, project, choose, name, reason, create, isPending, error } = props;
  return (
    <Panel title="Create">
      <Stack gap="sm" align="flex-start">
        {error ? <ProblemNotice what="The campaign was not created" error={error} /> : null}
        {projects.length > 1 ? (
          <Select
            label="Project"
            w="100%"
            maw={360}
            allowDeselect={false}
            searchable
            data={projects.map((it) => ({ value: it.id, label: it.name }))}
            value={project}
            onChange={choose}
          />
        ) : null}
        <Button onClick={create} disabled={reason !== null} loading={isPending} aria-describedby={REASON}>
          Create campaign
        </Button>
        <Text id={REASON} size="sm" c="dimmed" maw="100%" style={{ overflowWrap: "anywhere" }}>
          {reason ??
            `Rounds of ${name ?? "it"} begin as stands above. It can be paused, and ended, at any time.`}
        </Text>
      </Stack>
    </Panel>
  );
}

import { Button, Group, TextInput } from "@mantine/core";
import { IconFolders } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { plain } from "../../api/client.ts";
import { projectsQuery } from "../../api/queries.ts";
import type { Project } from "../../api/types.ts";
import { Id } from "../../display/Copy.tsx";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import { say } from "../../display/said.ts";
import { type Column, DataTable } from "../../tables/DataTable.tsx";

export const Route = createFileRoute("/_app/projects")({ component: Page });

const COLUMNS: Column<Project>[] = [
  { key: "name", title: "Project", by: (it) => it.name, cell: (it) => <strong>{it.name}</strong> },
  { key: "id", title: "Id", cell: (it) => <Id id={it.id} /> },
];

function Page() {
  const projects = useQuery(projectsQuery);
  const client = useQueryClient();
  const [name, setName] = useState("");
  const making = useMutation({
    mutationFn: () => plain<Project>("POST", "/api/v1/projects", { body: { name: name.trim() } }),
    onSuccess: async () => {
      say(`Project ${name.trim()} is there.`);
      setName("");
      await client.invalidateQueries({ queryKey: ["projects"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) making.mutate();
  };
  return (
    <>
      <PageHead
        title="Projects"
        note="Roles are granted on them: who has none on a project does not see its campaigns."
      />
      <Panel
        title="Projects"
        flush
        actions={
          <form onSubmit={submit}>
            <Group gap="xs">
              <TextInput
                size="xs"
                aria-label="Name of a new project"
                placeholder="Name of a new one"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button size="xs" type="submit" disabled={!name.trim()} loading={making.isPending}>
                Make it
              </Button>
            </Group>
          </form>
        }
      >
        {making.error ? <ProblemNotice what="The project was not made" error={making.error} /> : null}
        <FailedOr read={projects} what="The projects cannot be read">
          <DataTable
            label="Projects"
            main
            rows={projects.data}
            columns={COLUMNS}
            id={(project) => project.id}
            empty={
              <Nothing icon={IconFolders} title="No project">
                Name one above; campaigns are then created in it.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
    </>
  );
}

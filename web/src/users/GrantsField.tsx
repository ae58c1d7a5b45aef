import { ActionIcon, Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { projectsQuery } from "../api/queries.ts";
import { type Grant, ROLES, type Role } from "../api/types.ts";
import { ROLE_WORDS } from "./grants.ts";

const EVERYWHERE = "everywhere";

/** Roles, each on one project or everywhere. */
export function GrantsField({ grants, change }: { grants: Grant[]; change: (grants: Grant[]) => void }) {
  const projects = useQuery(projectsQuery);
  const places = [
    { value: EVERYWHERE, label: "everywhere" },
    ...(projects.data ?? []).map((project) => ({ value: project.id, label: `on ${project.name}` })),
  ];
  const set = (at: number, grant: Grant) => change(grants.map((old, index) => (index === at ? grant : old)));
  return (
    <Stack gap={6}>
      <Text size="sm" fw={500}>
        Roles
      </Text>
      {grants.map((grant, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a grant being edited has no name but its place
        <Group key={at} gap="xs" wrap="nowrap">
          <Select
            aria-label="Role"
            w={150}
            allowDeselect={false}
            data={ROLES}
            value={grant.role}
            onChange={(role) => set(at, { ...grant, role: (role as Role) ?? "viewer" })}
          />
          <Select
            aria-label="Where"
            flex={1}
            allowDeselect={false}
            data={places}
            value={grant.project_id ?? EVERYWHERE}
            onChange={(place) => set(at, { ...grant, project_id: place === EVERYWHERE ? null : place })}
          />
          <ActionIcon
            aria-label="Take this role away"
            onClick={() => change(grants.filter((_, index) => index !== at))}
          >
            <IconTrash size={15} />
          </ActionIcon>
        </Group>
      ))}
      {[...new Set(grants.map((grant) => grant.role))].map((role) => (
        <Text key={role} size="xs" c="dimmed">
          {role}: {ROLE_WORDS[role]}
        </Text>
      ))}
      <Group>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlus size={13} />}
          onClick={() => change([...grants, { project_id: null, role: "viewer" }])}
        >
          Another role
        </Button>
      </Group>
    </Stack>
  );
}

import { Avatar, Menu, Text, UnstyledButton } from "@mantine/core";
import { IconKey, IconLogout, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { spokenName } from "../display/format.ts";
import { sayProblem } from "../display/said.ts";
import { useSession } from "../session/may.ts";
import { signOut } from "../session/sign-in.ts";

export function AccountMenu() {
  const { user, grants } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    try {
      await signOut(client, false);
      await navigate({ to: "/sign-in" });
    } catch (error) {
      sayProblem("You are not signed out", error);
    }
  };
  const roles = [...new Set(grants.map((grant) => grant.role))].join(", ");
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${user.display_name}`}>
          <Avatar size={28} radius="xl" color="pine" name={spokenName(user.display_name)} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={560} c="var(--lw-ink)">
            {user.display_name}
          </Text>
          {user.name} · {roles || "no role"}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconUser size={15} />} component={Link} to="/account">
          My account
        </Menu.Item>
        <Menu.Item leftSection={<IconKey size={15} />} component={Link} to="/tokens">
          My tokens
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={leave}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

import { Button, Menu } from "@mantine/core";
import { IconDots, IconPlus, IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { signOnQuery, usersQuery } from "../../api/queries.ts";
import type { User } from "../../api/types.ts";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { StateBadge } from "../../display/StateBadge.tsx";
import { When } from "../../display/When.tsx";
import { useSession } from "../../session/may.ts";
import { type Column, DataTable } from "../../tables/DataTable.tsx";
import { EditGrants } from "../../users/EditGrants.tsx";
import { grantWords } from "../../users/grants.ts";
import { NewUser } from "../../users/NewUser.tsx";
import { PrepareSignOn } from "../../users/PrepareSignOn.tsx";
import { signsInWords } from "../../users/signs-in.ts";
import { UserCommand, type UserCommandKind } from "../../users/UserCommand.tsx";

export const Route = createFileRoute("/_app/users")({ component: Page });

type Asked = { user: User; what: UserCommandKind | "grants" | "sign-on" } | { what: "new" } | null;

function Page() {
  const users = useQuery(usersQuery);
  const session = useSession();
  const [asked, setAsked] = useState<Asked>(null);
  const canSignOn = Boolean(useQuery(signOnQuery).data?.label);
  const me = session.user.id;
  const columns = useMemo(() => makeColumns(me, canSignOn, setAsked), [me, canSignOn]);
  const close = () => setAsked(null);
  return (
    <>
      <PageHead
        title="Users"
        note="Who may sign in, and in which role on which project."
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={() => setAsked({ what: "new" })}>
            New user…
          </Button>
        }
      />
      <Panel title="Users" flush>
        <FailedOr read={users} what="The users cannot be read">
          <DataTable
            label="Users"
            main
            rows={users.data?.items}
            columns={columns}
            id={(user) => user.id}
            empty={
              <Nothing icon={IconUsers} title="No users">
                Make the first one: the password is shown once, and changed at the first sign-in.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
      {asked?.what === "new" ? <NewUser close={close} /> : null}
      {asked && asked.what !== "new" ? (
        asked.what === "grants" ? (
          <EditGrants user={asked.user} close={close} />
        ) : asked.what === "sign-on" ? (
          <PrepareSignOn user={asked.user} close={close} />
        ) : (
          <UserCommand user={asked.user} what={asked.what} close={close} />
        )
      ) : null}
    </>
  );
}

const makeColumns = (me: string, canSignOn: boolean, ask: (asked: Asked) => void): Column<User>[] => [
  {
    key: "name",
    title: "Name",
    by: (it) => it.display_name,
    cell: (it) => (
      <>
        <strong>{it.display_name}</strong> <span style={{ color: "var(--lw-ink-soft)" }}>{it.name}</span>
      </>
    ),
  },
  {
    key: "grants",
    title: "Roles",
    cell: (it) => <span title={grantWords(it.grants)}>{grantWords(it.grants)}</span>,
  },
  {
    key: "signs-in-by",
    title: "Signs in by",
    from: 960,
    by: (it) => it.signs_in_by,
    cell: (it) => signsInWords(it),
  },
  { key: "email", title: "E-mail", from: 820, by: (it) => it.email, cell: (it) => it.email ?? "–" },
  {
    key: "state",
    title: "State",
    by: (it) => it.state,
    cell: (it) => <StateBadge state={it.state === "active" ? "in_service" : it.state} label={it.state} />,
  },
  {
    key: "seen",
    title: "Last signed in",
    by: (it) => it.last_sign_in_at,
    cell: (it) => <When at={it.last_sign_in_at} none="never" />,
  },
  {
    key: "do",
    title: null,
    hint: "What can be done",
    width: 56,
    cell: (it) => (
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="compact-xs" variant="default" aria-label={`Change ${it.name}`}>
            <IconDots size={14} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => ask({ user: it, what: "grants" })}>Roles…</Menu.Item>
          <Menu.Item onClick={() => ask({ user: it, what: "password" })}>
            {it.signs_in_by === "password" ? "New password…" : "Password instead…"}
          </Menu.Item>
          {it.demo || !(canSignOn || it.signs_in_by === "provider") ? null : (
            <Menu.Item onClick={() => ask({ user: it, what: "sign-on" })}>
              {it.signs_in_by === "password" ? "Sign on by the provider…" : "Unlink…"}
            </Menu.Item>
          )}
          <Menu.Item onClick={() => ask({ user: it, what: "sign-out" })}>Sign out everywhere…</Menu.Item>
          {it.id === me ? null : (
            <Menu.Item
              color={it.state === "active" ? "red" : undefined}
              onClick={() => ask({ user: it, what: it.state === "active" ? "disable" : "enable" })}
            >
              {it.state === "active" ? "Disable…" : "Enable…"}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    ),
  },
];

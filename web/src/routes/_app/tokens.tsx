import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { tokensQuery } from "../../api/queries.ts";
import type { Token } from "../../api/types.ts";
import { FailedOr } from "../../display/FailedOr.tsx";
import { Nothing } from "../../display/Nothing.tsx";
import { PageHead } from "../../display/PageHead.tsx";
import { Panel } from "../../display/Panel.tsx";
import { StateBadge } from "../../display/StateBadge.tsx";
import { useNow, When } from "../../display/When.tsx";
import { type Column, DataTable } from "../../tables/DataTable.tsx";
import { NewToken } from "../../tokens/NewToken.tsx";
import { RevokeToken } from "../../tokens/RevokeToken.tsx";
import { tokenState } from "../../tokens/state.ts";

export const Route = createFileRoute("/_app/tokens")({ component: Page });

function Page() {
  const tokens = useQuery(tokensQuery);
  const now = useNow();
  const [opened, { open, close }] = useDisclosure();
  const [revoked, setRevoked] = useState<Token | null>(null);
  const rows = useMemo(() => {
    const rank = (token: Token) => (tokenState(token, now) === "active" ? 0 : 1);
    return tokens.data
      ? [...tokens.data.items].sort((a, b) => rank(a) - rank(b) || b.created_at.localeCompare(a.created_at))
      : undefined;
  }, [tokens.data, now]);
  const columns = useMemo(() => makeColumns(now, setRevoked), [now]);
  return (
    <>
      <PageHead
        title="Tokens"
        note="What agents, learners and the command line show instead of a password: scoped, expiring, revocable."
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={open}>
            New token…
          </Button>
        }
      />
      <Panel title="Tokens" flush>
        <FailedOr read={tokens} what="The tokens cannot be read">
          <DataTable
            label="Tokens"
            main
            rows={rows}
            columns={columns}
            id={(token) => token.id}
            empty={
              <Nothing icon={IconKey} title="No token yet">
                Make one for an agent beside a robot, or for your own command line. Its secret is shown once.
              </Nothing>
            }
          />
        </FailedOr>
      </Panel>
      {opened ? <NewToken close={close} /> : null}
      {revoked ? <RevokeToken token={revoked} close={() => setRevoked(null)} /> : null}
    </>
  );
}

const makeColumns = (now: Date, revoke: (token: Token) => void): Column<Token>[] => [
  {
    key: "label",
    title: "For",
    by: (it) => it.label,
    cell: (it) => <strong title={it.label}>{it.label}</strong>,
  },
  {
    key: "actor",
    title: "Acts as",
    by: (it) => it.actor,
    cell: (it) => <span title={it.actor}>{it.actor}</span>,
  },
  { key: "kind", title: "Kind", by: (it) => it.kind, cell: (it) => it.kind },
  {
    key: "scopes",
    grows: true,
    title: "May",
    from: 700,
    cell: (it) => (
      <span title={it.scopes.join(", ")} style={{ color: "var(--lw-ink-soft)" }}>
        {it.scopes.join(", ")}
      </span>
    ),
  },
  {
    key: "state",
    title: "State",
    by: (it) => tokenState(it, now),
    cell: (it) => {
      const state = tokenState(it, now);
      // A campaign that is active works; a token only opens.
      return <StateBadge state={state === "active" ? "in_service" : state} label={state} />;
    },
  },
  {
    key: "used",
    title: "Last used",
    by: (it) => it.last_used_at,
    cell: (it) => <When at={it.last_used_at} none="never" />,
  },
  {
    key: "expires",
    title: "Expires",
    from: 800,
    by: (it) => it.expires_at,
    cell: (it) => <When at={it.expires_at} />,
  },
  {
    key: "do",
    title: null,
    hint: "What can be done",
    width: 96,
    cell: (it) =>
      tokenState(it, now) === "active" ? (
        <Button size="compact-xs" variant="default" onClick={() => revoke(it)}>
          Revoke…
        </Button>
      ) : null,
  },
];

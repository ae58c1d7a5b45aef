import { Button } from "@mantine/core";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { PageHead } from "../../../display/PageHead.tsx";
import { ROLE_FOR, useMayEverywhere } from "../../../session/may.ts";
import { Blanks } from "../../../stock/Blanks.tsx";
import { CountDialog } from "../../../stock/CountDialog.tsx";
import { STOCK_STATES, type StockState } from "../../../stock/queries.ts";
import { Reagents } from "../../../stock/Reagents.tsx";
import { RegisterDialog } from "../../../stock/RegisterDialog.tsx";
import { RunsOut } from "../../../stock/RunsOut.tsx";
import classes from "../../../stock/Stock.module.css";
import { StockPlates } from "../../../stock/StockPlates.tsx";
import { StockTabs } from "../../../stock/StockTabs.tsx";
import { TABS, type Tab, USUAL_WEEKS, WEEKS, type Weeks } from "../../../stock/tabs.ts";

type Search = { tab?: Tab; state?: StockState; weeks?: Weeks };

export const Route = createFileRoute("/_app/stock/")({
  validateSearch: (search: Record<string, unknown>): Search => ({
    tab: TABS.find(({ tab }) => tab === search.tab)?.tab,
    state: STOCK_STATES.find((state) => state === search.state),
    weeks: WEEKS.find((weeks) => weeks === search.weeks),
  }),
  component: Page,
});

function Page() {
  const search = Route.useSearch();
  const { tab = "runs-out", weeks = USUAL_WEEKS, state } = search;
  const navigate = useNavigate();
  const may = useMayEverywhere("inventory:write");
  const [asked, setAsked] = useState<"register" | "count" | null>(null);
  const go = (to: Search) => void navigate({ to: "/stock", search: { ...search, ...to } });
  const howTo = may ? (
    <>
      Bring them in from a table with <em>Register plates…</em>, or with{" "}
      <code className="lw-mono">
        loopwright inventory {tab === "blanks" ? "import-assay-plates" : "import-library"}
      </code>
      .
    </>
  ) : (
    `Whoever has the role ${ROLE_FOR["inventory:write"]} everywhere registers plates from a table.`
  );
  const close = () => setAsked(null);
  return (
    <>
      <PageHead
        title="Stock"
        note="Source plates with reagents, and blank plates with cells: what is there, and what runs out."
        actions={
          may ? (
            <>
              <Button variant="default" onClick={() => setAsked("count")}>
                Count…
              </Button>
              <Button onClick={() => setAsked("register")}>Register plates…</Button>
            </>
          ) : undefined
        }
      />
      <StockTabs now={tab} weeks={weeks} />
      {tab === "runs-out" ? (
        <RunsOut weeks={weeks} choose={(it) => go({ weeks: it === USUAL_WEEKS ? undefined : it })} />
      ) : null}
      {tab === "sources" ? (
        <StockPlates
          key="sources"
          of="library"
          state={state}
          choose={(it) => go({ state: it })}
          howTo={howTo}
        />
      ) : null}
      {tab === "reagents" ? <Reagents howTo={howTo} /> : null}
      {tab === "blanks" ? (
        <div className={classes.stack}>
          <Blanks howTo={howTo} />
          <StockPlates
            key="blanks"
            of="assay"
            state={state}
            choose={(it) => go({ state: it })}
            howTo={howTo}
          />
        </div>
      ) : null}
      {asked === "register" ? (
        <RegisterDialog first={tab === "blanks" ? "assay" : "library"} close={close} />
      ) : null}
      {asked === "count" ? <CountDialog close={close} /> : null}
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { suppliesQuery } from "./queries.ts";
import classes from "./Stock.module.css";
import { isShort } from "./supplies.ts";
import { TABS, type Tab, USUAL_WEEKS, type Weeks } from "./tabs.ts";

/** The parts of the stock, each at its own address; how much runs out is said on every one of them. */
export function StockTabs({ now, weeks }: { now: Tab; weeks: Weeks }) {
  const { data } = useQuery(suppliesQuery(weeks * 7));
  const short = data?.filter(isShort).length ?? 0;
  return (
    <nav aria-label="Parts of the stock" className={classes.tabs}>
      {TABS.map(({ tab, label }) => (
        <Link
          key={tab}
          to="/stock"
          search={{
            tab: tab === "runs-out" ? undefined : tab,
            weeks: weeks === USUAL_WEEKS ? undefined : weeks,
          }}
          className={classes.tab}
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={tab === now ? "page" : undefined}
        >
          {label}
          {tab === "runs-out" && short > 0 ? <span className={classes.short}>{short} short</span> : null}
        </Link>
      ))}
    </nav>
  );
}

import { Button, SegmentedControl } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Supply } from "../api/types.ts";
import { FailedOr } from "../display/FailedOr.tsx";
import { count, plural } from "../display/format.ts";
import { Nothing } from "../display/Nothing.tsx";
import { Panel } from "../display/Panel.tsx";
import { StateBadge } from "../display/StateBadge.tsx";
import { LabWhen } from "../display/When.tsx";
import { type Column, DataTable } from "../tables/DataTable.tsx";
import { suppliesQuery } from "./queries.ts";
import classes from "./Stock.module.css";
import { amount, barOf, barWords, inOrder, isShort, supplyId } from "./supplies.ts";
import { WEEKS, type Weeks } from "./tabs.ts";

/** Of what there is enough of, so many are shown at first: a batch that waits may have chosen hundreds of reagents. */
const ENOUGH_SHOWN = 12;

/** What rounds to come take, and what does not last until then. */
export function RunsOut({ weeks, choose }: { weeks: Weeks; choose: (weeks: Weeks) => void }) {
  const supplies = useQuery(suppliesQuery(weeks * 7));
  const [isWhole, setWhole] = useState(false);
  const rows = useMemo(() => supplies.data && inOrder(supplies.data), [supplies.data]);
  const columns = useMemo(makeColumns, []);
  const short = rows?.filter(isShort).length ?? 0;
  const shown = isWhole ? rows : rows?.slice(0, short + ENOUGH_SHOWN);
  const rest = (rows?.length ?? 0) - (shown?.length ?? 0);
  return (
    <Panel
      title="Runs out"
      note={noteOf(rows?.length, short)}
      flush
      actions={
        <SegmentedControl
          aria-label="How far ahead"
          value={String(weeks)}
          onChange={(value) => choose(WEEKS.find((it) => String(it) === value) ?? weeks)}
          data={WEEKS.map((it) => ({ value: String(it), label: plural(it, "week") }))}
        />
      }
    >
      <FailedOr read={supplies} what="What runs out cannot be read">
        <DataTable
          label="What rounds to come want"
          main
          rows={shown}
          columns={columns}
          id={supplyId}
          empty={
            <Nothing
              icon={IconStack2}
              title={`Nothing is wanted in the next ${weeks === 1 ? "week" : `${weeks} weeks`}`}
            >
              What rounds will take stands here as soon as the calendar expects them: blank plates, controls,
              and the reagents of batches that wait for approval.
            </Nothing>
          }
        />
      </FailedOr>
      {rest > 0 ? (
        <div className={classes.more}>
          <Button size="xs" variant="default" onClick={() => setWhole(true)}>
            {count(rest)} more, of which there is enough
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}

function noteOf(all: number | undefined, short: number): string | undefined {
  if (!all) return undefined;
  if (short === 0) return "There is enough of everything that is forecast.";
  return `${count(short)} of ${count(all)} run out. Reagents that no batch has chosen yet are not in it.`;
}

const makeColumns = (): Column<Supply>[] => [
  {
    key: "what",
    title: "What",
    by: (it) => it.name,
    cell: (it) => <What supply={it} />,
  },
  { key: "there", title: "There", numeric: true, hint: "Not reserved, and may be drawn", cell: there },
  {
    key: "wanted",
    title: "Wanted",
    numeric: true,
    cell: (it) => (
      <span title={`by ${plural(it.rounds, "round")}`}>
        {amount(it, it.wanted)}
        <span className="lw-hidden"> by {plural(it.rounds, "round")}</span>
      </span>
    ),
  },
  { key: "bar", title: "Wanted of what is there", from: 820, width: 150, cell: (it) => <Bar supply={it} /> },
  { key: "until", title: "Until when", grows: true, cell: (it) => <Until supply={it} /> },
];

const there = (supply: Supply) => amount(supply, supply.there);

/** A reagent, or blank plates of one context on one labware. */
function What({ supply: { kind, name, labware } }: { supply: Supply }) {
  if (kind === "reagent") {
    return (
      <div className={`lw-cut ${classes.what}`} title={name}>
        <strong>{name}</strong>
      </div>
    );
  }
  return (
    <div className={`${classes.lines} ${classes.what}`}>
      <strong className="lw-cut" title={name}>
        {name}
      </strong>
      <span className={`lw-cut ${classes.soft}`} title={labware ?? undefined}>
        blank plates, {labware}
      </span>
    </div>
  );
}

function Bar({ supply }: { supply: Supply }) {
  const { taken, missing } = barOf(supply);
  return (
    <div className={classes.bar} role="img" aria-label={barWords(supply)} title={barWords(supply)}>
      {taken > 0 ? <div className={classes.taken} style={{ width: `${100 * taken}%` }} /> : null}
      {missing > 0 ? <div className={classes.missing} style={{ width: `${100 * missing}%` }} /> : null}
    </div>
  );
}

/** Enough, or from when it is short and for what. */
function Until({ supply }: { supply: Supply }) {
  const { short_lab_at: at, short_for: round } = supply;
  if (!at) return <StateBadge state="enough" />;
  const name = round ? `${round.campaign}, ${round.title}` : "a round of another project";
  return (
    <div className={classes.lines}>
      <span className="lw-cut">
        <StateBadge state="short" /> from <LabWhen at={at} />
      </span>
      <span className="lw-cut" title={`for ${name}`}>
        for{" "}
        {round ? (
          <>
            <Link to="/campaigns/$campaignId" params={{ campaignId: round.campaign_id }}>
              {round.campaign}
            </Link>
            , {round.title}
          </>
        ) : (
          name
        )}
      </span>
    </div>
  );
}

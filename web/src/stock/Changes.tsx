import { Text } from "@mantine/core";
import { useState } from "react";
import type { StockChange } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { When } from "../display/When.tsx";
import classes from "./StockPlate.module.css";
import { exactly } from "./volumes.ts";
import { CHANGE_WORDS, type CountedWell, countedWells, fromWords } from "./words.ts";

/** Wells of a count that are shown without being asked for. */
const FEW = 6;
/** The server names the newest so many. */
const MOST = 100;

/** What people did to a plate of the stock: what, who, when and why. */
export function Changes({ changes }: { changes: readonly StockChange[] }) {
  return (
    <Panel title="What people did" note={changes.length >= MOST ? `the newest ${MOST}` : undefined}>
      {changes.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing yet. Counts, and who took it out, put it back or found it, stand here with their reasons.
        </Text>
      ) : (
        <ol className={classes.changes}>
          {changes.map((change) => (
            <li key={`${change.at} ${change.change}`}>
              <div className={classes.head}>
                <strong>{CHANGE_WORDS[change.change]}</strong>
                <From change={change} />
                <span className={classes.soft}>by {change.by}</span>
                <span className={classes.when}>
                  <When at={change.at} />
                </span>
              </div>
              <p className={classes.reason}>{change.reason}</p>
              <Counted wells={countedWells(change.detail)} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function From({ change }: { change: StockChange }) {
  const from = fromWords(change.detail);
  return from === null ? null : <span className={classes.soft}>was in {from}</span>;
}

function Counted({ wells }: { wells: readonly CountedWell[] }) {
  const [isOpen, setOpen] = useState(false);
  if (wells.length === 0) return null;
  const list = (
    <ul className={classes.counted}>
      {wells.map((it) => (
        <li key={it.well}>
          <span>{it.well}</span>
          <span className="lw-cut" title={it.content}>
            {it.content}
          </span>
          <span>
            {it.before_nl === null ? "new" : exactly(it.before_nl)} → {exactly(it.after_nl)} µL
          </span>
        </li>
      ))}
    </ul>
  );
  if (wells.length <= FEW) return list;
  return (
    <details className={classes.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{plural(wells.length, "well")}</summary>
      {isOpen ? list : null}
    </details>
  );
}

import { Button, Progress } from "@mantine/core";
import { ChooseFiles } from "../../display/ChooseFiles.tsx";
import { percent } from "../../display/format.ts";
import { StateBadge } from "../../display/StateBadge.tsx";
import classes from "./FilesPanel.module.css";
import { type Row, sizeWords } from "./files.ts";

type Props = {
  row: Row;
  /** Whether this browser can send files. */
  canSend: boolean;
  choose: (file: File) => void;
  again: () => void;
};

/** The tones of the states that everything else has, too. */
const TONE = { missing: "paused", earlier: "passed", stored: "passed", sending: "running", failed: "failed" };

/** One file that the campaign names: where it is, and a button to give it. */
export function FileRow({ row, canSend, choose, again }: Props) {
  const { name, fields, state } = row;
  const isThere = state === "stored" || state === "earlier";
  return (
    <li className={classes.row}>
      <div>
        <span className={classes.name}>{name}</span>
        <span className={`lw-mono ${classes.fields}`}>{fields.join(", ")}</span>
      </div>
      <div className={classes.buttons}>
        {state === "failed" ? (
          <Button size="compact-xs" variant="default" aria-label={`Send ${name} again`} onClick={again}>
            Try again
          </Button>
        ) : null}
        <ChooseFiles
          choose={([file]) => file && choose(file)}
          size="compact-xs"
          variant={state === "missing" ? "filled" : "default"}
          disabled={!canSend}
          aria-label={isThere ? `Choose another file for ${name}` : `Choose the file for ${name}`}
        >
          {isThere ? "Another…" : "Choose…"}
        </ChooseFiles>
      </div>
      <div className={classes.state}>
        <span aria-live="polite">
          <span className="lw-hidden">{name}: </span>
          <StateBadge state={TONE[state]} label={state === "earlier" ? "stored" : state} />
        </span>
        <span className={classes.said}>{said(row)}</span>
        {state === "sending" ? (
          <Progress
            className={classes.bar}
            size="sm"
            value={100 * (row.share ?? 0)}
            aria-label={`${name}, sent so far`}
          />
        ) : null}
      </div>
      {state === "failed" ? (
        <p className={classes.why} role="alert">
          {row.why}
        </p>
      ) : null}
    </li>
  );
}

function said(row: Row): string {
  if (row.state === "missing") {
    return row.fields.includes("design.genes_file") ? "a CSV with a column gene" : "";
  }
  if (row.state === "earlier") return `with ${row.campaign}`;
  const other = row.title === row.name.split("/").at(-1) ? "" : `${row.title}, `;
  if (row.state !== "sending") return `${other}${sizeWords(row.size)}`;
  return row.share === undefined
    ? `${other}reading ${sizeWords(row.size)}`
    : `${other}${percent(row.share)} of ${sizeWords(row.size)}`;
}

import { UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import type { FileProblem } from "../../api/types.ts";
import { plural } from "../../display/format.ts";
import { Panel } from "../../display/Panel.tsx";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import classes from "./CheckPanel.module.css";

type Props = {
  /** Id of the sentence that says how the text stands. */
  statusId: string;
  isBlank: boolean;
  isChecking: boolean;
  error: unknown;
  again: () => void;
  /** `null` while nothing is known. */
  problems: readonly FileProblem[] | null;
  warnings: readonly FileProblem[];
  goTo: (line: number, column: number) => void;
};

/** What the server says of the text: everything that is wrong at once, each with its place. */
export function CheckPanel(props: Props) {
  const { statusId, isBlank, isChecking, error, again, problems, warnings, goTo } = props;
  const { tone, words } = standing(props);
  return (
    <Panel title="Check" note={isChecking && problems ? "checking…" : null}>
      {error && !isBlank ? (
        <ProblemNotice what="The text could not be checked" error={error} again={again} />
      ) : null}
      {/* Always there: what comes into it is read out. */}
      <p id={statusId} role="status" className={classes.status} data-tone={tone}>
        {/* Words stay while the next answer is on its way: only what changes is read out. */}
        {tone === "good" ? <IconCircleCheck size={17} aria-hidden /> : null}
        {tone === "bad" ? <IconAlertTriangle size={17} aria-hidden /> : null}
        {words}
      </p>
      {problems?.length ? <Places kind="problem" places={problems} goTo={goTo} /> : null}
      {warnings.length > 0 ? (
        <>
          <p className={classes.kind}>Allowed, and yet doubtful:</p>
          <Places kind="warning" places={warnings} goTo={goTo} />
        </>
      ) : null}
    </Panel>
  );
}

function standing({ isBlank, isChecking, error, problems, warnings }: Props): {
  tone: string;
  words: string;
} {
  if (isBlank) return { tone: "quiet", words: "There is nothing to check yet." };
  if (error) return { tone: "quiet", words: "" };
  if (problems === null) return { tone: "quiet", words: "Checking…" };
  if (problems.length > 0) return { tone: "bad", words: plural(problems.length, "problem") };
  const doubts = warnings.length > 0 ? `, with ${plural(warnings.length, "doubt")}` : "";
  return { tone: isChecking ? "quiet" : "good", words: `The text is right${doubts}.` };
}

type PlacesProps = Pick<Props, "goTo"> & { kind: "problem" | "warning"; places: readonly FileProblem[] };

function Places({ kind, places, goTo }: PlacesProps) {
  return (
    <ol className={classes.list} data-kind={kind} aria-label={kind === "problem" ? "Problems" : "Doubts"}>
      {places.map(({ line, column, path, reason }) => (
        <li key={`${line}:${column}:${path}:${reason}`}>
          <UnstyledButton className={classes.place} onClick={() => goTo(line, column)}>
            <span className={classes.line}>
              <span className="lw-hidden">Line </span>
              {line}
            </span>
            <span>
              {path ? <span className={`lw-mono ${classes.path}`}>{path}</span> : null}
              <span className={classes.reason}>{reason}</span>
            </span>
          </UnstyledButton>
        </li>
      ))}
    </ol>
  );
}

import { Button, Text, Textarea, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { AskReason } from "../display/AskReason.tsx";
import classes from "./ByHand.module.css";
import { everyKeyInto } from "./keys.ts";
import { type Scan, scanned, scanWords, wrongWords } from "./scanning.ts";
import type { ByHand } from "./types.ts";
import type { Acting } from "./useAct.ts";
import { FAILED } from "./words.ts";

type Props = {
  step: ByHand;
  /** Its buttons are the page's first; for another's step they are there, but quieter. */
  mine: boolean;
  /** It was taken on this page just now: the scanner's field is where one goes on. */
  fresh: boolean;
  scan: Scan;
  setScan: (scan: Scan) => void;
  act: Acting;
};

/** As the server takes it. */
const LONGEST_NOTE = 2_000;

/** What whoever has a step in hand says of it: which plates, and how it ended. */
export function HowItEnded({ step, mine, fresh, scan, setScan, act }: Props) {
  const [typed, setTyped] = useState("");
  const [note, setNote] = useState("");
  const [asked, setAsked] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const heading = `step-${step.id}`;
  const said = scanWords(scan, step.plates);
  const { attempt } = step;
  const pending = act.isPending ? act.variables.kind : null;

  useEffect(() => {
    if (fresh) (field.current ?? button.current)?.focus();
  }, [fresh]);

  const scans = mine && step.plates.length > 0;
  useEffect(() => (scans ? everyKeyInto(field, setTyped) : undefined), [scans]);

  /** A scanner types and presses Enter; the field is empty for the next plate at once. */
  const accept = () => {
    const next = scanned(scan, typed, step.plates);
    setScan(next);
    setTyped("");
    return next;
  };
  const done = () => {
    // What was typed without an Enter is a scan as well, and is not lost.
    const next = accept();
    // Another plate in the hand: the right one is scanned, or the scan is taken back, before anything is done.
    if (next.wrong !== null) field.current?.focus();
    else act.mutate({ kind: "done", attempt, note: note.trim(), scanned: next.ticked });
  };

  return (
    <div className={classes.ended}>
      {step.plates.length > 0 ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            accept();
          }}
        >
          <TextInput
            ref={field}
            size="lg"
            label="Scan or type the barcode"
            classNames={{ input: classes.field }}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            enterKeyHint="done"
            error={scan.wrong === null ? null : wrongWords(scan.wrong, step.plates)}
            errorProps={{ role: "alert", "aria-live": "assertive", className: classes.wrong }}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </form>
      ) : null}
      <Textarea
        size="lg"
        label="Note"
        description="Optional; it goes into the record."
        autosize
        minRows={1}
        maxLength={LONGEST_NOTE}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <div className={classes.done}>
        <Button
          ref={button}
          size="lg"
          variant={mine ? "filled" : "default"}
          className={classes.doneButton}
          aria-describedby={heading}
          loading={pending === "done"}
          disabled={act.isPending && pending !== "done"}
          onClick={done}
        >
          Done
        </Button>
        {scan.wrong === null ? null : (
          <Button h={44} variant="subtle" color="gray" onClick={() => setScan({ ...scan, wrong: null })}>
            Forget that scan
          </Button>
        )}
        {said ? (
          <output className={classes.scanned} data-tone={said.tone}>
            {said.words}
          </output>
        ) : null}
      </div>
      <div className={classes.quiet}>
        <Button
          h={44}
          variant="default"
          aria-describedby={heading}
          loading={pending === "give-back"}
          disabled={act.isPending && pending !== "give-back"}
          onClick={() => act.mutate({ kind: "give-back", attempt })}
        >
          Nothing was done
        </Button>
        <Button
          h={44}
          variant="default"
          aria-describedby={heading}
          disabled={act.isPending}
          onClick={() => setAsked(true)}
        >
          Something went wrong…
        </Button>
      </div>
      {asked ? <WentWrong act={act} attempt={attempt} close={() => setAsked(false)} /> : null}
    </div>
  );
}

function WentWrong({ act, attempt, close }: { act: Acting; attempt: number; close: () => void }) {
  return (
    <AskReason
      title="Something went wrong"
      button="Put it in doubt"
      danger
      large
      act={(reason) => act.mutate({ kind: "went-wrong", attempt, reason }, { onSuccess: close })}
      pending={act.isPending}
      error={act.variables?.kind === "went-wrong" ? act.error : null}
      failed={FAILED["went-wrong"]}
      close={close}
    >
      <Text size="sm">
        The job goes into doubt: nothing that depends on it moves until somebody has looked. Whoever may
        decide then says on the job's page what became of it.
      </Text>
    </AskReason>
  );
}

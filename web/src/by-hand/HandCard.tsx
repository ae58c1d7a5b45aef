import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { AboutStep } from "./AboutStep.tsx";
import classes from "./ByHand.module.css";
import { HowItEnded } from "./HowItEnded.tsx";
import { StepPlates } from "./StepPlates.tsx";
import { NOTHING_SCANNED } from "./scanning.ts";
import type { Whose } from "./sections.ts";
import type { ByHand } from "./types.ts";
import { type Bench, useAct } from "./useAct.ts";
import { isLong } from "./words.ts";

type Props = { step: ByHand; whose: Whose; may: boolean; bench: Bench };

/** One step: what is to be done with which plate, and whatever can be said of it. */
export function HandCard({ step, whose, may, bench }: Props) {
  const [scan, setScan] = useState(NOTHING_SCANNED);
  const act = useAct(step, bench);
  const heading = `step-${step.id}`;
  // What went wrong with "something went wrong" is told in its dialog.
  const told = act.variables?.kind === "went-wrong";
  const trouble = bench.trouble?.step.id === step.id && !told ? bench.trouble : null;
  return (
    <article
      className={classes.card}
      data-whose={whose}
      data-stopping={step.state === "stopping" || undefined}
      aria-labelledby={heading}
    >
      {step.state === "stopping" ? (
        <p role="alert" className={classes.stop}>
          <IconAlertTriangle size={20} aria-hidden />
          Somebody asked to stop it: put things down, and say how far it came.
        </p>
      ) : null}
      <h3 id={heading} className={classes.instruction} data-long={isLong(step.instruction) || undefined}>
        {step.instruction}
      </h3>
      <StepPlates plates={step.plates} ticked={scan.ticked} />
      <AboutStep step={step} whose={whose} />
      {trouble ? <ProblemNotice what={trouble.what} error={trouble.error} /> : null}
      {may && whose === "nobody" ? (
        <Button
          size="lg"
          fullWidth
          aria-describedby={heading}
          loading={act.isPending}
          onClick={() => act.mutate({ kind: "take" })}
        >
          I do it
        </Button>
      ) : null}
      {may && whose !== "nobody" ? (
        <HowItEnded
          step={step}
          mine={whose === "mine"}
          fresh={bench.taken === step.id}
          scan={scan}
          setScan={setScan}
          act={act}
        />
      ) : null}
    </article>
  );
}

import { Link } from "@tanstack/react-router";
import { LabWhen, useLabNow, useNow, When } from "../display/When.tsx";
import classes from "./ByHand.module.css";
import type { Whose } from "./sections.ts";
import type { ByHand } from "./types.ts";
import { attemptWords, roundWords } from "./words.ts";

/** For what it is done, how long it has waited, and until when something must happen. */
export function AboutStep({ step, whose }: { step: ByHand; whose: Whose }) {
  const round = roundWords(step);
  const before = attemptWords(step.attempt);
  return (
    <div className={classes.about}>
      <div className={classes.links}>
        {step.campaign_id && round ? (
          <Link to="/campaigns/$campaignId" params={{ campaignId: step.campaign_id }}>
            {round}
          </Link>
        ) : (
          <span>{round}</span>
        )}
        {step.plate_id ? (
          <Link to="/plates/$plateId" params={{ plateId: step.plate_id }}>
            the plate's page
          </Link>
        ) : null}
        <Link to="/jobs/$jobId" params={{ jobId: step.id }}>
          the job's page
        </Link>
      </div>
      <div>
        {whose === "nobody" ? "Became ready " : null}
        {whose === "mine" ? "You took it " : null}
        {whose === "other" ? (
          <>
            <strong>{step.taken_by ?? "Somebody"}</strong> took it{" "}
          </>
        ) : null}
        <When at={step.since} />
        {before ? ` · ${before}` : null}
      </div>
      {whose === "nobody" && step.deadline_lab_at ? <TakeBy at={step.deadline_lab_at} /> : null}
      {whose !== "nobody" && step.answer_by ? <AnswerBy at={step.answer_by} /> : null}
    </div>
  );
}

function TakeBy({ at }: { at: string }) {
  const isOver = new Date(at) <= useLabNow();
  return (
    <div className={classes.until}>
      {isOver ? "It was to be taken by" : "To be taken by"} <LabWhen at={at} />
    </div>
  );
}

function AnswerBy({ at }: { at: string }) {
  const isOver = new Date(at) <= useNow();
  return (
    <div className={isOver ? classes.until : undefined}>
      {isOver ? (
        "No answer came in time: it goes into doubt."
      ) : (
        <>
          Without an answer it goes into doubt <When at={at} />.
        </>
      )}
    </div>
  );
}

import { Tooltip } from "@mantine/core";
import { IconHourglass, IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { When } from "../display/When.tsx";
import { HoldLine } from "../orders/HoldLine.tsx";
import type { Hold } from "../orders/types.ts";
import { whyQuery } from "./queries.ts";
import type { Reason } from "./types.ts";
import classes from "./WaitsFor.module.css";
import { isForPeople, ownerWords, sentence } from "./words.ts";

type Props = {
  kind: "jobs" | "rounds" | "campaigns";
  id: string;
  /** What a person holds of it, and how it is called: told here where the reasons do not. */
  hold?: Hold | null;
  what: string;
  /** What is said in its place where nobody says why. */
  children?: ReactNode;
};

/** Why it does not move, and what to do about it; nothing where nothing waits. */
export function WaitsFor({ kind, id, hold, what, children }: Props) {
  const { data } = useQuery(whyQuery(kind, id));
  const reasons = data?.reasons ?? [];
  const tellHold = hold && data !== undefined && !reasons.some((it) => /paus|drain/.test(it.code));
  return (
    <>
      {tellHold ? <HoldLine hold={hold} what={what} /> : null}
      {reasons.length > 0 ? (
        <ul className={classes.list} aria-label="What it waits for">
          {reasons.map((reason, at) => (
            <Line key={`${reason.code} ${reason.words}`} reason={reason} first={at === 0} />
          ))}
        </ul>
      ) : (
        children
      )}
    </>
  );
}

function Line({ reason, first }: { reason: Reason; first: boolean }) {
  const people = isForPeople(reason);
  const Sign = people ? IconUser : IconHourglass;
  return (
    <li className={classes.line} data-people={people || undefined} data-first={first || undefined}>
      <Tooltip label={`Whose turn it is: ${ownerWords(reason.owner)} (${reason.code})`}>
        <Sign size={16} className={classes.sign} aria-label={`Turn of ${ownerWords(reason.owner)}`} />
      </Tooltip>
      <span>
        <strong>
          <Commands text={sentence(reason.words)} />
        </strong>{" "}
        <Commands text={sentence(reason.to_do)} />
        {reason.since ? (
          <span className={classes.since}>
            {" "}
            Since <When at={reason.since} />.
          </span>
        ) : null}
      </span>
    </li>
  );
}

/** Text with commands in back quotes, as the server writes them. */
function Commands({ text }: { text: string }) {
  return text.split("`").map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <code key={part} className="lw-mono">
        {part}
      </code>
    ),
  );
}

import { Tooltip } from "@mantine/core";
import { useStanding } from "../live/LiveProvider.tsx";
import type { Standing } from "../live/stream.ts";
import classes from "./StandingSign.module.css";

const WORDS: Record<Standing, { short: string; long: string }> = {
  live: { short: "Live", long: "What happens in the laboratory shows here as it happens." },
  connecting: { short: "Connecting", long: "Asking the server for live news." },
  away: {
    short: "Server away",
    long: "The server does not answer. What you see is as it was; the page goes on by itself when the server is back.",
  },
  signed_out: { short: "Signed out", long: "Your session is over: sign in again." },
};

/** Whether the page is live. */
export function StandingSign() {
  const standing = useStanding();
  const { short, long } = WORDS[standing];
  return (
    <Tooltip label={long}>
      <output className={classes.sign} data-standing={standing} aria-live="polite">
        <span className={classes.dot} aria-hidden />
        {short}
      </output>
    </Tooltip>
  );
}

import { Text } from "@mantine/core";
import { IconPlayerPause } from "@tabler/icons-react";
import { When } from "../display/When.tsx";
import classes from "./HoldLine.module.css";
import type { Hold } from "./types.ts";

/** Who holds it, since when, and why. */
export function HoldLine({ hold, what }: { hold: Hold; what: string }) {
  return (
    <div className={classes.line}>
      <IconPlayerPause size={16} aria-hidden className={classes.sign} />
      <Text size="sm">
        <strong>
          {what} {hold.manner === "drain" ? "drains" : "is paused"}
        </strong>{" "}
        by {hold.by} <When at={hold.since} />: {hold.reason}
      </Text>
    </div>
  );
}

import { Tooltip } from "@mantine/core";
import { IconClockHour4 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { clockQuery } from "../api/queries.ts";
import { exact, shortMoment } from "../display/format.ts";
import classes from "./LabClockFace.module.css";

/** Laboratory time, where it is not real time. */
export function LabClockFace() {
  const { data } = useQuery(clockQuery);
  if (data?.mode !== "jumping") return null;
  const at = new Date(data.lab_at);
  return (
    <Tooltip
      label={`Laboratory time is ${exact(at)}. In a demo it stands still and jumps to whatever is due next: an incubation of three days takes no time.`}
    >
      <span className={classes.face}>
        <IconClockHour4 size={14} stroke={1.6} aria-hidden />
        <span className={classes.word}>Laboratory time</span> {shortMoment(at)}
      </span>
    </Tooltip>
  );
}

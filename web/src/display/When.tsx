import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { clockQuery } from "../api/queries.ts";
import { exact, relative, shortMoment } from "./format.ts";

type Listener = () => void;
const listeners = new Set<Listener>();
let minute = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for every time on the page. */
function subscribe(listener: Listener) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    minute = Date.now();
    for (const tell of listeners) tell();
  }, 20_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Real time; moves on three times a minute. */
export const useNow = () => new Date(useSyncExternalStore(subscribe, () => minute));

/** Laboratory time, where it jumps and where it is real. */
export function useLabNow(): Date {
  const now = useNow();
  const { data: clock } = useQuery(clockQuery);
  return clock?.mode === "jumping" ? new Date(clock.lab_at) : now;
}

type Props = { at: string | null | undefined; none?: string };

/** An instant of real time: relative, and exact on hover. */
export function When({ at, none = "–" }: Props) {
  const now = useNow();
  if (!at) return <>{none}</>;
  const date = new Date(at);
  return (
    <Tooltip label={exact(date)}>
      <time dateTime={at}>{relative(date, now)}</time>
    </Tooltip>
  );
}

/** An instant of laboratory time: where the clock jumps, named as such and relative to that clock. */
export function LabWhen({ at, none = "–", short = false }: Props & { short?: boolean }) {
  const now = useNow();
  const { data: clock } = useQuery(clockQuery);
  if (!at) return <>{none}</>;
  const date = new Date(at);
  const jumps = clock?.mode === "jumping";
  const reference = jumps ? new Date(clock.lab_at) : now;
  const label = jumps ? `${exact(date)}, laboratory time (it jumps)` : exact(date);
  const shown = short ? relative(date, reference) : `${shortMoment(date)} · ${relative(date, reference)}`;
  return (
    <Tooltip label={label}>
      <time dateTime={at}>
        {shown}
        {jumps && !short ? <span className="lw-lab-mark"> lab</span> : null}
      </time>
    </Tooltip>
  );
}

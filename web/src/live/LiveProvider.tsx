import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { eventsAfter, sessionQuery } from "../api/queries.ts";
import { lastPosition } from "./position.ts";
import { makeRenewer, renewAll } from "./renewal.ts";
import { follow, patience, type Standing } from "./stream.ts";

const StandingContext = createContext<Standing>("connecting");
export const useStanding = () => useContext(StandingContext);

/** Where the record ended when this tab last looked: a hint only, to find its end in fewer steps. */
const HINT = "loopwright-last-position";

/** Keeps the reads below it fresh for as long as somebody is signed in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [standing, setStanding] = useState<Standing>("connecting");

  useEffect(() => {
    const leaving = new AbortController();
    const renewer = makeRenewer(client);
    let wasAway = false;
    const onStanding = (now: Standing) => {
      // Whatever was asked while the server was away may have failed: ask again once it is back.
      if (now === "live" && wasAway) renewAll(client);
      if (now === "signed_out") void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      wasAway = now === "away";
      setStanding(now);
    };
    const onEvent = (event: Parameters<typeof renewer.take>[0]) => {
      sessionStorage.setItem(HINT, String(event.position));
      renewer.take(event);
    };
    const listen = async () => {
      const hint = Number(sessionStorage.getItem(HINT)) || 0;
      const isBehind = async (after: number) => (await eventsAfter(after, 1, leaving.signal)).length > 0;
      let position: number | null = null;
      while (position === null && !leaving.signal.aborted) {
        position = await lastPosition(isBehind, hint).catch(() => null);
        if (position === null) {
          onStanding("away");
          await patience(2_000, leaving.signal);
        }
      }
      if (position === null) return;
      // The page read while the end of the record was looked for: what happened between such a read and that end
      // comes by no event.
      renewAll(client);
      await follow(position, { onEvent, onStanding }, leaving.signal, {
        fetch: window.fetch.bind(window),
        pause: patience,
      });
    };
    void listen();
    return () => {
      leaving.abort();
      renewer.stop();
    };
  }, [client]);

  return <StandingContext value={standing}>{children}</StandingContext>;
}

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { sessionQuery } from "../api/queries.ts";
import { endOfRecord, keepHint } from "./position.ts";
import { beginAnew, makeRenewer, renewAll } from "./renewal.ts";
import { follow, patience, type Standing } from "./stream.ts";

const StandingContext = createContext<Standing>("connecting");
export const useStanding = () => useContext(StandingContext);

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
      keepHint(event.position);
      renewer.take(event);
    };
    const onAnotherRecord = async () => {
      const position = await endOfRecord(leaving.signal);
      // What happened between such a read and that end comes by no event: read after it was found.
      beginAnew(client);
      return position;
    };
    const listen = async () => {
      let position: number | null = null;
      while (position === null && !leaving.signal.aborted) {
        position = await endOfRecord(leaving.signal).catch(() => null);
        if (position === null) {
          onStanding("away");
          await patience(2_000, leaving.signal);
        }
      }
      if (position === null) return;
      // The page read while the end of the record was looked for: what happened between such a read and that end
      // comes by no event.
      renewAll(client);
      await follow(position, { onEvent, onStanding, onAnotherRecord }, leaving.signal, {
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

import { describe, expect, test, vi } from "vitest";
import { follow, type Standing } from "./stream.ts";

const event = (position: number) =>
  `id: ${position}\nevent: RoundClosed\ndata: ${JSON.stringify({ position, kind: "RoundClosed" })}\n\n`;

type Answer = string | number | "refuses to connect" | { epoch: string; says: string };

/** A server whose stream ends after each of these texts; a number is a refusal with that status. */
function serverOf(answers: Answer[], leaving: AbortController) {
  const asked: (string | null)[] = [];
  const fetch = vi.fn(async (_url: string, init: RequestInit) => {
    asked.push(new Headers(init.headers).get("last-event-id"));
    const answer = answers[asked.length - 1];
    if (asked.length >= answers.length) leaving.abort();
    if (answer === "refuses to connect") throw new TypeError("Failed to fetch");
    if (typeof answer === "number") return new Response("", { status: answer });
    if (typeof answer === "object") {
      return new Response(answer.says, { headers: { "loopwright-epoch": answer.epoch } });
    }
    return new Response(answer, { headers: { "content-type": "text/event-stream" } });
  });
  return { asked, fetch: fetch as unknown as typeof globalThis.fetch };
}

/** `ends`: where the record ends whenever it is found to be another one. */
async function run(answers: Answer[], from = 0, ends: (number | Error)[] = []) {
  const leaving = new AbortController();
  const server = serverOf(answers, leaving);
  const events: number[] = [];
  const standings: Standing[] = [];
  const pauses: number[] = [];
  await follow(
    from,
    {
      onEvent: (it) => events.push(it.position),
      onStanding: (it) => standings.push(it),
      onAnotherRecord: async () => {
        const end = ends.shift();
        if (typeof end !== "number") throw end;
        return end;
      },
    },
    leaving.signal,
    {
      fetch: server.fetch,
      pause: async (ms, signal) => {
        // The longest silence is another clock: it runs out only where a test says so.
        if (ms === 40_000)
          return await new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
        pauses.push(ms);
      },
    },
  );
  return { asked: server.asked, events, standings, pauses };
}

describe("the live record", () => {
  test("goes on behind the last event after a break: none is lost, none comes twice", async () => {
    const { asked, events } = await run([event(4) + event(5), event(5) + event(6), event(7)], 3);
    expect(asked).toEqual(["3", "5", "6"]);
    expect(events).toEqual([4, 5, 6, 7]);
  });

  test("does not count an event that broke off as seen", async () => {
    const half = event(2).slice(0, -1);
    const { asked, events } = await run([event(1) + half, event(2)]);
    expect(asked).toEqual(["0", "1"]);
    expect(events).toEqual([1, 2]);
  });

  test("says that the server is away, waits ever longer, and comes back by itself", async () => {
    const { standings, pauses, events } = await run(["refuses to connect", 503, 503, event(1), ""]);
    expect(standings).toEqual(["connecting", "away", "away", "away", "live", "live"]);
    expect(pauses.slice(0, 4)).toEqual([500, 1000, 2000, 500]);
    expect(events).toEqual([1]);
  });

  test("begins anew at the end of another record: that of a database that was restored", async () => {
    const old = { epoch: "a", says: event(90) };
    const restored = { epoch: "b", says: event(41) };
    const { asked, events } = await run([old, old, restored, restored, restored], 89, [40]);
    expect(asked).toEqual(["89", "90", "90", "40", "41"]);
    expect(events).toEqual([90, 41]);
  });

  test("looks for that end again where it was not found", async () => {
    const old = { epoch: "a", says: event(90) };
    const restored = { epoch: "b", says: event(41) };
    const { asked, standings } = await run([old, restored, restored, restored], 89, [new Error("away"), 40]);
    expect(asked).toEqual(["89", "90", "90", "40"]);
    expect(standings).toEqual(["connecting", "live", "away", "live"]);
  });

  test("stops when the session is over", async () => {
    const { asked, standings } = await run([401, event(1)]);
    expect(asked).toHaveLength(1);
    expect(standings.at(-1)).toBe("signed_out");
  });

  test("takes a connection on which nothing is heard for dead, and opens another", async () => {
    const leaving = new AbortController();
    const standings: Standing[] = [];
    const asked: (string | null)[] = [];
    const fetch = async (_url: string, init: RequestInit) => {
      asked.push(new Headers(init.headers).get("last-event-id"));
      if (asked.length === 2) leaving.abort();
      // Never ends, and never says anything after its first event.
      const body = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(event(9))) });
      return new Response(body);
    };
    const pause = async () => {
      // Silence runs out at once, but not before what is there was read.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const ears = {
      onEvent: () => {},
      onStanding: (it: Standing) => standings.push(it),
      onAnotherRecord: async () => 0,
    };
    await follow(0, ears, leaving.signal, {
      fetch: fetch as unknown as typeof globalThis.fetch,
      pause,
    });
    expect(asked).toEqual(["0", "9"]);
    expect(standings).toEqual(["connecting", "live", "away", "live"]);
  });
});

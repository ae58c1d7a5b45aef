import type { SealedEvent } from "../api/types.ts";
import { Parser } from "./parse.ts";

/** Whether what happens in the laboratory reaches the page. */
export type Standing = "connecting" | "live" | "away" | "signed_out";

export type Ears = {
  onEvent: (event: SealedEvent) => void;
  onStanding: (standing: Standing) => void;
  /** The database that answers is another one, restored or behind a failover: where its record ends now. */
  onAnotherRecord: () => Promise<number>;
};

export type Surroundings = {
  fetch: typeof fetch;
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Which life of its database the server speaks from. */
const EPOCH_HEADER = "loopwright-epoch";
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** The server says something every quarter of a minute, if only that it is there. Silence means a dead connection. */
const LONGEST_SILENCE_MS = 40_000;

/**
 * Follows the live record from behind `position` until `signal` is aborted. Whenever the stream ends (the server
 * ends it every quarter of an hour, and when it is started again), it is opened again behind the last event that
 * arrived: none is lost, none comes twice. After a restore that event may never have been: the record may be shorter now,
 * and would be silent until it is as long again.
 *
 * `EventSource` is not used: it hides the events' names from whoever does not list them, and does not say why it
 * was refused.
 */
export async function follow(position: number, ears: Ears, signal: AbortSignal, around: Surroundings) {
  let last = position;
  let epoch: string | null = null;
  let pause = FIRST_PAUSE_MS;
  ears.onStanding("connecting");
  while (!signal.aborted) {
    const before = last;
    try {
      const response = await around.fetch("/api/v1/events/stream", {
        headers: { accept: "text/event-stream", "last-event-id": String(last) },
        credentials: "same-origin",
        signal,
      });
      if (response.status === 401) {
        ears.onStanding("signed_out");
        return;
      }
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      const now: string | null = response.headers.get(EPOCH_HEADER) ?? epoch;
      if (epoch !== null && now !== epoch) {
        response.body.cancel().catch(() => {});
        last = await ears.onAnotherRecord();
        epoch = now;
        pause = FIRST_PAUSE_MS;
      } else {
        epoch = now;
        ears.onStanding("live");
        const take = (event: SealedEvent) => {
          if (event.position <= last) return;
          last = event.position;
          ears.onEvent(event);
        };
        await read(response.body, take, signal, around);
      }
    } catch {
      if (!signal.aborted) ears.onStanding("away");
    }
    if (last > before) pause = FIRST_PAUSE_MS;
    if (!signal.aborted) await around.pause(pause, signal);
    pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
  }
}

async function read(
  body: ReadableStream<Uint8Array>,
  take: (event: SealedEvent) => void,
  signal: AbortSignal,
  around: Surroundings,
) {
  const parser = new Parser();
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const piece = await heard(reader.read(), signal, around);
      if (piece === "silence") throw new Error("nothing was heard for too long");
      const { done, value } = piece;
      if (done) return;
      for (const message of parser.push(decoder.decode(value, { stream: true }))) {
        take(JSON.parse(message.data) as SealedEvent);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** What is read, or that nothing came for too long: a connection can be dead without an end. */
async function heard<T>(
  reading: Promise<T>,
  signal: AbortSignal,
  around: Surroundings,
): Promise<T | "silence"> {
  const waiting = new AbortController();
  const either = AbortSignal.any([signal, waiting.signal]);
  const silence = around.pause(LONGEST_SILENCE_MS, either).then(() => "silence" as const);
  try {
    return await Promise.race([reading, silence]);
  } finally {
    waiting.abort();
    reading.catch(() => {});
  }
}

export const patience: Surroundings["pause"] = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });

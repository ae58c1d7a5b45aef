import { afterEach, expect, test, vi } from "vitest";
import { problemOf } from "./problem.ts";
import { upload } from "./upload.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A browser's request, driven by a test. */
function browser() {
  const made: Sent[] = [];
  class Sent {
    upload: { onprogress?: (told: { loaded: number; total: number }) => void } = {};
    status = 0;
    responseText = "";
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    isAborted = false;
    constructor() {
      made.push(this);
    }
    open() {}
    setRequestHeader() {}
    send() {}
    abort() {
      this.isAborted = true;
      this.onabort?.();
    }
    answer(status: number, body = "") {
      Object.assign(this, { status, responseText: body });
      this.onload?.();
    }
  }
  vi.stubGlobal("XMLHttpRequest", Sent);
  const only = () => {
    const [request] = made;
    if (!request) throw new Error("nothing was sent");
    return request;
  };
  return { only };
}
const file = new Blob(["gene\n"]);
const codeOf = (sent: Promise<void>) => sent.then(() => null).catch((error) => problemOf(error).code);

test("an upload tells how far it is, and is done when it is stored or was there", async () => {
  const { only } = browser();
  const shares: number[] = [];
  const sent = upload("/api/v1/blobs/x", file, { progress: (share) => shares.push(share) });
  only().upload.onprogress?.({ loaded: 1, total: 4 });
  only().answer(200);
  await sent;
  expect(shares).toEqual([0.25]);
});

test("a refusal is thrown in the server's words, a server that is away as such", async () => {
  const { only } = browser();
  const refused = upload("/x", file);
  only().answer(413, JSON.stringify({ code: "blob.too_large", detail: "Too large." }));
  await expect(refused).rejects.toThrow("blob.too_large: Too large.");
});

test("a server that is away, or takes nothing more, is told of; and what is given up ends", async () => {
  vi.useFakeTimers();
  const { only } = browser();
  const away = codeOf(upload("/x", file));
  only().onerror?.();
  expect(await away).toBe("client.unreachable");

  const stalling = browser();
  const stalled = codeOf(upload("/x", file));
  vi.advanceTimersByTime(59_000);
  stalling.only().upload.onprogress?.({ loaded: 1, total: 4 });
  vi.advanceTimersByTime(59_000);
  expect(stalling.only().isAborted).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(await stalled).toBe("client.unreachable");
  expect(stalling.only().isAborted).toBe(true);

  const ending = browser();
  const control = new AbortController();
  const given = upload("/x", file, { signal: control.signal });
  control.abort();
  await expect(given).rejects.toThrow("It was given up.");
  expect(ending.only().isAborted).toBe(true);
});

import { problemOf } from "../../api/problem.ts";
import { upload } from "../../api/upload.ts";
import type { Stored } from "./draft.ts";
import { sizeWords } from "./files.ts";

/** The whole file is in memory while its digest is computed. */
const MOST_BYTES = 512_000_000;

/** Browsers compute digests only on pages that nobody in between can have changed. */
export const canDigest = () => globalThis.crypto?.subtle !== undefined;

type Watch = { signal: AbortSignal; progress: (share: number) => void };

/** Why a file cannot be sent from a browser at all; `null` where it can. */
export function tooMuch(size: number): string | null {
  if (size <= MOST_BYTES) return null;
  return `It has ${sizeWords(size)}; a page sends at most 512 MB. Use the command line: loopwright campaign create -f campaign.toml`;
}

/** Stores a file under its digest. One that the server has already is fine. */
export async function store(file: File, { signal, progress }: Watch): Promise<Stored> {
  const bytes = await file.arrayBuffer();
  const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
  signal.throwIfAborted();
  progress(0);
  await upload(`/api/v1/blobs/${sha256}`, file, { signal, progress });
  return { sha256, title: file.name, size: file.size };
}

const hex = (bytes: ArrayBuffer) =>
  [...new Uint8Array(bytes)].map((it) => it.toString(16).padStart(2, "0")).join("");

/** Why a file was not stored, in words. */
export function failureWords(error: unknown): string {
  if (error instanceof DOMException && /^Not(Readable|Found)Error$/.test(error.name)) {
    return "The browser cannot read it any more: it was changed or moved. Choose it again.";
  }
  const { code, detail } = problemOf(error);
  return code === "client.unreachable" ? "The server does not answer. Try again." : detail;
}

// A whole laboratory for the browser's tests: `loopwright demo` on a folder and a port of its own.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SECRET, startProvider } from "./provider.ts";

export type Person = { name: string; password: string; role: string };

/** What the tests need to know; handed from the set-up to the workers in the environment. */
export type Laboratory = {
  /** Where the API answers. */
  url: string;
  /** Where the pages are: the same, unless E2E_APP names a development server in front of it. */
  app: string;
  folder: string;
  binary: string;
};

const BINARY = resolve(process.env.LOOPWRIGHT_BINARY ?? "../target/debug/loopwright");
const PATIENCE_MS = 180_000;

export const laboratory = (): Laboratory => {
  const text = process.env.LOOPWRIGHT_E2E;
  if (!text) throw new Error("the laboratory was not started: global-setup.ts does it");
  return JSON.parse(text) as Laboratory;
};

/**
 * Starts it, and waits until a batch waits for a person. Answers with how to stop it.
 *
 * While one writes tests: E2E_FOLDER names the folder of a demo that runs already, which is left running.
 */
export async function start(): Promise<{ lab: Laboratory; stop: () => Promise<void> }> {
  const running = process.env.E2E_FOLDER;
  if (running) {
    const { port } = JSON.parse(readFileSync(join(running, "demo.json"), "utf8")) as { port: number };
    const url = `http://127.0.0.1:${port}`;
    return {
      lab: { url, app: process.env.E2E_APP ?? url, folder: running, binary: BINARY },
      stop: async () => {},
    };
  }
  // PostgreSQL's socket path is short: so is this one.
  const folder = mkdtempSync(join(tmpdir(), "lw-e2e-"));
  // Where the tests run as root, PostgreSQL runs as another user and has to pass through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const secretFile = join(folder, "sign-on.secret");
  writeFileSync(secretFile, SECRET);
  const provider = await startProvider(secretFile);
  const demo = spawn(
    BINARY,
    [
      "demo",
      "--data-dir",
      folder,
      "--port",
      String(port),
      "--rounds",
      "3",
      "--batch",
      "12",
      "--history",
      "0",
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...provider.environment } },
  );
  let said = "";
  const listen = (chunk: Buffer) => {
    said += chunk.toString();
  };
  demo.stdout.on("data", listen);
  demo.stderr.on("data", listen);
  const url = `http://127.0.0.1:${port}`;
  const lab = { url, app: url, folder, binary: BINARY };
  const stop = async () => {
    await ended(demo);
    provider.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until("a batch waits in the demo", async () => {
      if (demo.exitCode !== null) throw new Error(`the demo ended with ${demo.exitCode}:\n${said}`);
      const batches = await ask<{ items: unknown[] }>(lab, "/api/v1/batches");
      return batches.items.length > 0;
    });
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\nWhat the demo said:\n${said}`);
  }
  return { lab, stop };
}

async function ended(child: ChildProcess) {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await exit;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

export function people(lab = laboratory()): Record<string, Person> {
  const list = JSON.parse(readFileSync(join(lab.folder, "people.json"), "utf8")) as Person[];
  return Object.fromEntries(list.map((person) => [person.role, person]));
}

const tokenOf = (lab: Laboratory, name: string) =>
  readFileSync(join(lab.folder, "tokens", name), "utf8").trim();

/** Asks the API beside the browser, as the demo's own token or as that of an instrument's agent. */
export async function ask<T>(
  lab: Laboratory,
  path: string,
  init: RequestInit = {},
  token = "operator",
): Promise<T> {
  const headers = {
    authorization: `Bearer ${tokenOf(lab, token)}`,
    "content-type": "application/json",
    ...init.headers,
  };
  const response = await fetch(lab.url + path, { ...init, headers, signal: AbortSignal.timeout(20_000) });
  if (!response.ok)
    throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Looks again and again until `what` is true; a server that starts is no failure. */
export async function until(what: string, isTrue: () => Promise<boolean>) {
  const deadline = Date.now() + PATIENCE_MS;
  let last: unknown = null;
  while (Date.now() < deadline) {
    try {
      if (await isTrue()) return;
      last = null;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("the demo ended")) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`waited ${PATIENCE_MS / 1000} s until ${what}${last ? `; the last time: ${last}` : ""}`);
}

export type WaitingBatch = { id: string; revision: number; campaign_id: string; campaign: string };

/**
 * A campaign like the demo's under a policy of its own, and with `sections` more; answers with its first batch, drafted
 * and waiting.
 */
export async function batchUnder(policy: string, title: string, sections = ""): Promise<WaitingBatch> {
  // Of its own, also where the demo runs on from an earlier try.
  const name = `${title}-${Date.now()}`;
  const lab = laboratory();
  const folder = join(lab.folder, "campaign");
  const demo = readFileSync(join(folder, "campaign.toml"), "utf8");
  const file = join(folder, `${name}.toml`);
  const text = demo
    .replace(/^name = .*$/m, `name = "${name}"`)
    .replace(/^\[policy\]\n(?:[a-z_]+ = .*\n)*/m, `[policy]\n${policy}\n`);
  if (text === demo) throw new Error("the demo's campaign file has another shape than this test knows");
  writeFileSync(file, text + sections);
  execFileSync(lab.binary, ["campaign", "create", "-f", file], {
    env: {
      ...process.env,
      LOOPWRIGHT_SERVER: lab.url,
      LOOPWRIGHT_TOKEN_FILE: join(lab.folder, "tokens/operator"),
    },
    timeout: 30_000,
  });
  let found: (WaitingBatch & { draft: { plan: string } | null }) | undefined;
  await until(`the batch of ${name} waits`, async () => {
    const page = await ask<{ items: NonNullable<typeof found>[] }>(lab, "/api/v1/batches");
    found = page.items.find((it) => it.campaign === name && it.draft?.plan === "possible");
    return found !== undefined;
  });
  if (!found) throw new Error("cannot be: it was found");
  return found;
}

/** Waits until no job of any campaign is under way: what an earlier test approved has come to its end. */
export async function untilNothingMoves() {
  const lab = laboratory();
  await until("no job is under way", async () => {
    for (const state of ["waiting", "ready", "leased", "running", "stopping"]) {
      const { items } = await ask<{ items: unknown[] }>(lab, `/api/v1/jobs?state=${state}`);
      if (items.length > 0) return false;
    }
    return true;
  });
}

/** Process id of a part of the demo. */
export function processOf(part: string): number {
  const all = JSON.parse(readFileSync(join(laboratory().folder, "processes.json"), "utf8")) as Record<
    string,
    number
  >;
  const id = all[part];
  if (!id) throw new Error(`the demo runs no ${part}`);
  return id;
}

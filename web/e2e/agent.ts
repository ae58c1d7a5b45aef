// Plays the agent of one instrument, whose own process stands still meanwhile: what devices do once in a thousand
// runs, a test has to have at once. Nothing moves on the bench by it.

import { ask, laboratory, processOf, until } from "./laboratory.ts";

export type Leased = { job_id: string; lease_token: string; work: { kind: string } };

const CONTRACT_VERSION = 1;

/** Its process, paused by SIGSTOP; answers with how to let it go on. */
export function freezeAgent(instrument: string): () => void {
  const id = processOf(`agent-${instrument}`);
  process.kill(id, "SIGSTOP");
  return () => process.kill(id, "SIGCONT");
}

const post = <T>(instrument: string, path: string, body: unknown) =>
  ask<T>(laboratory(), `/api/v1${path}`, { method: "POST", body: JSON.stringify(body) }, instrument);

/** Takes the instrument's next job. The frozen process may be given it first: its lease runs out then. */
export async function lease(instrument: string, capability: string): Promise<Leased> {
  let found: Leased | undefined;
  await until(`a job for ${instrument}`, async () => {
    found = await post<Leased | undefined>(instrument, "/leases", {
      contract_version: CONTRACT_VERSION,
      queue: "bench",
      capabilities: [capability],
      instrument,
      wait_seconds: 5,
    });
    return found !== undefined;
  });
  if (!found) throw new Error("cannot be: it was leased");
  return found;
}

/** Begins it, comes so far, and then cannot say how it ended. */
export async function loseSight(instrument: string, job: Leased, progress: string, words: string) {
  const authority = { lease_token: job.lease_token };
  const door = `/jobs/${job.job_id}`;
  await post(instrument, `${door}/start`, authority);
  await post(instrument, `${door}/heartbeat`, {
    ...authority,
    progress: { message: progress, fraction: 0.4 },
  });
  const failure = { class: "needs_person", code: "opentrons.run_outcome_unknown", message: words };
  await post(instrument, `${door}/report`, { ...authority, outcome: { ended: "unknown", failure } });
}

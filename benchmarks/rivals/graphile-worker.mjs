// graphile-worker with the batching that its own documentation measures with
// (https://worker.graphile.org/docs/performance): node graphile-worker.mjs JOBS
//
// Prints {"jobs": .., "seconds": ..}: from the start of the pool until the last job is done and deleted.
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const connectionString = process.env.DATABASE_URL;
const jobs = Number(process.argv[2]);
const CHUNK = 10_000;

// A line for each job would cost more than the job.
const logger = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
for (let made = 0; made < jobs; made += CHUNK) {
  const count = Math.min(CHUNK, jobs - made);
  await utils.addJobs(Array.from({ length: count }, (_, i) => ({ identifier: "move", payload: { id: made + i } })));
}

let executed = 0;
let finish;
const finished = new Promise((resolve) => {
  finish = resolve;
});
const start = performance.now();
const runner = await run({
  noHandleSignals: true,
  preset: {
    worker: {
      connectionString,
      logger,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  taskList: {
    move: () => {
      executed += 1;
      if (executed === jobs) finish();
    },
  },
});
await finished;
// Stopping waits for the completions that are still batched.
await runner.stop();
const seconds = (performance.now() - start) / 1000;

const left = await utils.withPgClient((client) =>
  client.query("select count(*)::int as left from graphile_worker._private_jobs"),
);
await utils.release();
if (left.rows[0].left !== 0 || executed !== jobs) {
  throw new Error(`${executed} of ${jobs} jobs were executed, ${left.rows[0].left} are left`);
}
console.log(JSON.stringify({ jobs, seconds }));

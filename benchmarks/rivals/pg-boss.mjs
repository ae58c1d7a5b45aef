// pg-boss, four consumers that fetch and complete 1000 at a time: node pg-boss.mjs JOBS
//
// Prints {"jobs": .., "seconds": ..}: from the first fetch until the last completion.
import { PgBoss } from "pg-boss";

const jobs = Number(process.argv[2]);
const BATCH = 1000;
const CONSUMERS = 4;
const QUEUE = "move";

const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, supervise: false, schedule: false });
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue(QUEUE);
for (let made = 0; made < jobs; made += BATCH) {
  const count = Math.min(BATCH, jobs - made);
  await boss.insert(QUEUE, Array.from({ length: count }, (_, i) => ({ data: { id: made + i } })));
}

const seen = new Set();
async function consume() {
  for (;;) {
    const batch = await boss.fetch(QUEUE, { batchSize: BATCH });
    if (batch.length === 0) return;
    const ids = batch.map((job) => job.id);
    await boss.complete(QUEUE, ids);
    for (const id of ids) seen.add(id);
  }
}
const start = performance.now();
await Promise.all(Array.from({ length: CONSUMERS }, consume));
const seconds = (performance.now() - start) / 1000;
await boss.stop({ graceful: false });
if (seen.size !== jobs) throw new Error(`${seen.size} of ${jobs} jobs were completed`);
console.log(JSON.stringify({ jobs, seconds }));

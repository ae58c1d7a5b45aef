// Laboratory time of the demo stands still while only a person is awaited. A test that is about time passing moves it,
// as the orchestrator's own clock does (orchestrator/src/store/clock.rs), through the demo's private PostgreSQL.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { laboratory } from "./laboratory.ts";

/** Where Debian and Ubuntu keep it; the newest, as `loopwright demo` takes it. */
function psql(): string {
  const root = "/usr/lib/postgresql";
  const found = (existsSync(root) ? readdirSync(root) : [])
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, "bin", "psql"))
    .find(existsSync);
  if (!found) throw new Error(`there is no psql below ${root}, of which the demo has its PostgreSQL`);
  return found;
}

/** Laboratory time moves on by so many hours. */
export function passHours(hours: number) {
  const socket = join(laboratory().folder, "run");
  // The socket lets its owner in and nobody else: where the demo runs as root, that is another user.
  const { uid, gid } = statSync(socket);
  const sql = `update lab_clock set lab_at = lab_at + interval '${hours} hours' where mode = 'jumping'`;
  const said = execFileSync(
    psql(),
    ["--host", socket, "--username", "loopwright", "--dbname", "loopwright", "--no-psqlrc", "--command", sql],
    { uid, gid, cwd: "/", timeout: 10_000, encoding: "utf8" },
  );
  if (said.trim() !== "UPDATE 1") throw new Error(`laboratory time does not move here: ${said}`);
}

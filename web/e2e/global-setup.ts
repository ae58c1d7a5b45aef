import { start } from "./laboratory.ts";

export default async function globalSetup() {
  const { lab, stop } = await start();
  process.env.LOOPWRIGHT_E2E = JSON.stringify(lab);
  return stop;
}

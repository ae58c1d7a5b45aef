import { expect, type Page, test } from "@playwright/test";
import { freezeAgent, lease, loseSight } from "./agent.ts";
import { ask, batchUnder, laboratory, until, untilNothingMoves } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const HANDLER = "handler-1";

let letGoOn = () => {};
// A handler that stands still fails every test after this one.
test.afterEach(() => {
  letGoOn();
  letGoOn = () => {};
});

async function decide(page: Page, answer: string, saw: string) {
  const doubt = page.getByRole("region", { name: "In doubt" });
  const record = doubt.getByRole("button", { name: /^Record/ });
  await expect(record).toBeDisabled();
  await doubt.getByRole("radio", { name: answer }).click();
  await expect(record).toBeDisabled();
  await doubt.getByLabel("What you saw").fill(saw);
  await record.click();
  const last = page.getByRole("dialog", { name: /^You say/ });
  await expect(last).toContainText(saw);
  await last.getByRole("button", { name: "Record it for good" }).click();
}

test("a dispense that may have happened is first on home, shows what is known, and goes on by what a person saw", async ({
  browser,
}) => {
  test.setTimeout(240_000);
  const lab = laboratory();
  const batch = await batchUnder("approvals = 1", "doubt");
  // A job in its hands would keep laboratory time from going on, and the next lease may be another campaign's.
  await untilNothingMoves();
  letGoOn = freezeAgent(HANDLER);
  const operator = await pageOf(browser, "operator");
  const scientist = await pageOf(browser, "scientist");
  await ask(lab, `/api/v1/batches/${batch.id}/approve`, {
    method: "POST",
    headers: { "if-match": `"${batch.revision}"` },
    body: JSON.stringify({ reason: null }),
  });
  const job = await lease(HANDLER, "dispense.liquid");
  await loseSight(HANDLER, job, "transfer 12 of 30", "The robot lost its power in the middle of the run.");

  // The page stood open on home, and hears of it by itself.
  const first = operator.getByRole("region", { name: "What needs you now" }).getByRole("listitem").first();
  await expect(first).toContainText("Dispense on handler-1 is in doubt");
  await first.getByRole("link", { name: "Look" }).click();
  await expect(operator).toHaveURL(new RegExp(`/jobs/${job.job_id}$`));

  const doubt = operator.getByRole("region", { name: "In doubt" });
  await expect(doubt).toContainText("The robot lost its power in the middle of the run.");
  await expect(doubt).toContainText("transfer 12 of 30");
  await expect(doubt).toContainText(/\d+ transfers: 0 reported as done, 0 as failed, \d+ without a word/);
  await doubt.getByText("Table", { exact: true }).click();
  const transfers = doubt.getByRole("grid", { name: "Intended against reported" });
  await expect(transfers.getByRole("row").nth(1)).toContainText("nothing");

  // Whoever may not decide sees the same, and is told whose turn it is.
  await scientist.goto(`/jobs/${job.job_id}`);
  const theirs = scientist.getByRole("region", { name: "In doubt" });
  await expect(theirs).toContainText("Deciding needs the role operator or engineer");
  await expect(theirs.getByRole("radio", { name: "It happened" })).toBeDisabled();

  await decide(operator, "It did not happen", "every well is dry and the tips are full");
  await expect(operator.getByText("Recorded; a job like it takes its place.")).toBeVisible();
  await expect(doubt).toHaveCount(0);
  await expect(theirs).toHaveCount(0);

  letGoOn();
  const { round_id: round } = await ask<{ round_id: string }>(lab, `/api/v1/batches/${batch.id}`);
  await until("the handler has done it in its stead", async () => {
    const path = `/api/v1/jobs?kind=dispense&state=succeeded&round_id=${round}`;
    const { items } = await ask<{ items: { replaces: string | null }[] }>(lab, path);
    return items.some((it) => it.replaces === job.job_id);
  });
});

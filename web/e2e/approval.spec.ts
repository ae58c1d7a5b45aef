import { readFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { ask, batchUnder, laboratory } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const TWO_ROLES = "roles = { scientist = 1, engineer = 1 }\nexpires_hours = 48";

test("a batch that two roles must approve goes to the robots with the second, and comes back as plates", async ({
  browser,
}) => {
  const batch = await batchUnder(TWO_ROLES, "two-roles");
  const scientist = await pageOf(browser, "scientist");
  const engineer = await pageOf(browser, "engineer");
  await scientist.goto(`/batches/${batch.id}`);
  await engineer.goto(`/batches/${batch.id}`);

  // Until when it waits is shown to both.
  await expect(scientist.getByText(/^Expires/)).toBeVisible();

  await scientist.getByRole("button", { name: "Approve…" }).click();
  await scientist.getByLabel("Remark").fill("looks right");
  await scientist.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
  await expect(scientist.getByText(/1 more person must approve/)).toBeVisible();

  // The other page hears of it by itself.
  await expect(engineer.getByRole("region", { name: "Approval" })).toContainText("1 of 2 approvals");
  await expect(engineer.getByRole("region", { name: "Approval" })).toContainText("looks right");

  await engineer.getByRole("button", { name: "Approve…" }).click();
  await engineer.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
  await expect(engineer.getByText("Approved and frozen")).toBeVisible();
  await expect(scientist.getByText("Frozen under")).toBeVisible();

  await engineer.goto(`/campaigns/${batch.campaign_id}`);
  await expect(engineer.getByRole("grid", { name: "Rounds" }).getByText("Closed").first()).toBeVisible({
    timeout: 60_000,
  });

  await engineer.getByRole("button", { name: "Results" }).click();
  const coming = engineer.waitForEvent("download");
  await engineer.getByRole("menuitem", { name: /^Everything, as an RO-Crate/ }).click();
  const crate = await coming;
  expect(crate.suggestedFilename()).toMatch(/\.crate\.zip$/);
  expect((await readFile(await crate.path())).subarray(0, 4).toString("latin1")).toBe("PK\x03\x04");
});

test("whoever edited a batch is told that somebody else has to approve it", async ({ browser }) => {
  const batch = await batchUnder("approvals = 1", "own-edit");
  const page = await pageOf(browser, "scientist");
  await page.goto(`/batches/${batch.id}`);
  const table = page.getByRole("grid", { name: "Experiments" });
  await table.getByRole("checkbox", { name: "Choose", exact: true }).first().check();
  await page.getByRole("button", { name: "Remove…" }).click();
  await page.getByLabel("Why").fill("known to be toxic");
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText("1 experiment removed")).toBeVisible();
  await expect(page.getByText(/^Revision 2/)).toBeVisible();
  await page.getByText("Removed 1", { exact: true }).click();
  await expect(table.getByText("known to be toxic")).toBeVisible();
  await expect(page.getByText("You cannot approve this batch:")).toBeVisible();
  const now = await ask<{ revision: number; state: string }>(laboratory(), `/api/v1/batches/${batch.id}`);
  expect(now).toMatchObject({ revision: 2, state: "awaiting_approval" });
});

test("two people at once: the later one is told clearly, loses nothing, and approves after a look", async ({
  browser,
}) => {
  const batch = await batchUnder("approvals = 1", "conflict");
  const scientist = await pageOf(browser, "scientist");
  // Her page hears nothing of what others do: the server itself has to catch it.
  await scientist.route("**/api/v1/events/stream", (route) => route.abort());
  await scientist.goto(`/batches/${batch.id}`);
  await scientist.getByRole("button", { name: "Approve…" }).click();
  await scientist.getByLabel("Remark").fill("agreed in the Monday meeting");

  const engineer = await pageOf(browser, "engineer");
  await engineer.goto(`/batches/${batch.id}`);
  await engineer
    .getByRole("grid", { name: "Experiments" })
    .getByRole("checkbox", { name: "Choose", exact: true })
    .first()
    .check();
  await engineer.getByRole("button", { name: "Remove…" }).click();
  await engineer.getByLabel("Why").fill("no reagent left");
  await engineer.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(engineer.getByText("1 experiment removed")).toBeVisible();

  await scientist.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
  const notice = scientist.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  await expect(notice).toContainText("1 removed, 1 added");
  await expect(notice).toContainText("no reagent left");
  await expect(scientist.getByLabel("Remark")).toHaveValue("agreed in the Monday meeting");

  await notice.getByRole("button", { name: "Look at revision 2" }).click();
  await expect(async () => {
    // The draft plan of the new revision may still be on its way.
    await scientist.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
    await expect(scientist.getByText("Approved and frozen")).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 30_000 });
  const verdicts = (
    await ask<{ verdicts: { reason: string; revision: number }[] }>(
      laboratory(),
      `/api/v1/batches/${batch.id}`,
    )
  ).verdicts;
  expect(verdicts).toEqual([
    expect.objectContaining({ reason: "agreed in the Monday meeting", revision: 2 }),
  ]);
});

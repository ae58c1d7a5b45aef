import { expect, test } from "@playwright/test";
import { batchUnder, processOf } from "./laboratory.ts";
import { pageOf } from "./people.ts";

test("a server that is killed and started again under an open page costs nothing that was typed, and the page goes on", async ({
  browser,
}) => {
  const batch = await batchUnder("approvals = 1", "restart");
  const page = await pageOf(browser, "engineer");
  await page.goto(`/batches/${batch.id}`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Approve…" }).click();
  await page.getByLabel("Remark").fill("written before the restart");

  const before = processOf("serve");
  process.kill(before, "SIGKILL");
  await expect(page.getByText("Server away", { exact: true })).toBeVisible();
  await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 60_000 });
  expect(processOf("serve")).not.toBe(before);

  await expect(page.getByLabel("Remark")).toHaveValue("written before the restart");
  await page.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
  await expect(page.getByText("Approved and frozen")).toBeVisible();
  // What happens from here on arrives by the stream that was opened anew.
  await expect(page.getByText("Frozen under")).toBeVisible();
});

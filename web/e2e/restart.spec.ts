import { expect, test } from "@playwright/test";
import { ask, batchUnder, laboratory, processOf, until } from "./laboratory.ts";
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
  await until("serve is started again and answers", async () => {
    const health = await ask<{ status: string }>(laboratory(), "/healthz");
    return processOf("serve") !== before && health.status === "ok";
  });

  await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByLabel("Remark")).toHaveValue("written before the restart");
  // What happens from here on arrives by the stream that was opened anew: nobody reloads the page.
  const lab = laboratory();
  const { items } = await ask<{ items: { id: string }[] }>(
    lab,
    `/api/v1/batches/${batch.id}/proposals?status=selected`,
  );
  await ask(lab, `/api/v1/batches/${batch.id}/remove`, {
    method: "POST",
    headers: { "if-match": `"${batch.revision}"` },
    body: JSON.stringify({ proposal_id: items[0]?.id, reason: "taken out after the restart" }),
  });
  const notice = page.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  // A connection that died without an end is noticed by its silence.
  await expect(notice).toContainText("taken out after the restart", { timeout: 60_000 });
  await expect(page.getByLabel("Remark")).toHaveValue("written before the restart");
});

test("a server that does not answer is said in words, and one click goes on where one was", async ({
  browser,
}) => {
  const page = await pageOf(browser, "scientist");
  await page.goto("/jobs");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("row").nth(1)).toBeVisible();

  await page.route("**/api/**", (route) => route.abort("internetdisconnected"));
  await page.reload();
  await expect(page.getByText("Loopwright does not answer")).toBeVisible({ timeout: 30_000 });

  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Jobs", level: 1 })).toBeVisible();
});

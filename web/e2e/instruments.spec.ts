import { expect, test } from "@playwright/test";
import { pageOf } from "./people.ts";

test("an engineer sees what an instrument did, and the jobs that are addressed to it", async ({
  browser,
}) => {
  const page = await pageOf(browser, "engineer");
  await page.getByRole("link", { name: "Instruments", exact: true }).click();
  await page.getByRole("link", { name: "mover-1" }).click();
  await expect(page).toHaveURL(/\/instruments\/mover-1$/);
  await expect(page.getByRole("heading", { name: "mover-1", level: 1 })).toBeVisible();

  const busy = page.getByRole("region", { name: "How busy it was" });
  await expect(busy.getByRole("row")).toHaveCount(15);
  await expect(busy.getByRole("row").nth(1)).toContainText("Today");
  // Whether the demo has carried out a round by now depends on what ran before.
  const did = page.getByRole("region", { name: "What it did" });
  await expect(did.getByText("In doubt")).toBeVisible();
  await expect(did.getByText(/Usually takes|Nothing ended on it/)).toBeVisible();
  await expect(page.getByRole("region", { name: "Its steps" })).toBeVisible();

  await page.goto("/jobs?instrument=mover-1");
  await expect(page.getByText("addressed to mover-1")).toBeVisible();
  await page.getByRole("link", { name: "of all" }).click();
  await expect(page).toHaveURL(/\/jobs$/);

  await page.goto("/instruments/nobody-9");
  await expect(page.getByText("The instrument cannot be shown")).toBeVisible();
});

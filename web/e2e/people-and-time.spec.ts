import { expect, test } from "@playwright/test";
import { batchUnder } from "./laboratory.ts";
import { pageOf } from "./people.ts";

test("a batch whose round is held says that it waits, until somebody resumes the round", async ({
  browser,
}) => {
  const batch = await batchUnder("approvals = 1", "held");
  const page = await pageOf(browser, "engineer");
  await page.goto(`/campaigns/${batch.campaign_id}`);
  const round = page.getByRole("region", { name: /^Round 1 of/ });
  await round.getByRole("button", { name: "Pause…" }).click();
  await page.getByRole("textbox", { name: "Why" }).fill("the reader smells of smoke");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByText("The round is paused.")).toBeVisible();
  await expect(page.getByText("the reader smells of smoke").first()).toBeVisible();

  await page.goto(`/batches/${batch.id}`);
  await expect(page.getByText("It waits for the round to be resumed")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve…" })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("link", { name: "the campaign's page" }).click();
  await round.getByRole("button", { name: "Resume…" }).click();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(page.getByText("The round goes on.")).toBeVisible();

  await page.goto(`/batches/${batch.id}`);
  await expect(page.getByRole("button", { name: "Approve…" })).toHaveAttribute("aria-disabled", "false");
});

test("a round that cannot be started is refused in the server's words", async ({ browser }) => {
  const batch = await batchUnder("approvals = 1", "one-runs");
  const page = await pageOf(browser, "engineer");
  await page.goto(`/campaigns/${batch.campaign_id}`);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Start another round/ }).click();
  await page.getByRole("button", { name: "Start it" }).click();
  await expect(page.getByRole("alert")).toContainText("still runs");
});

test("a closure is on the calendar until it is taken off; whoever only looks cannot change it", async ({
  browser,
}) => {
  const engineer = await pageOf(browser, "engineer");
  const operator = await pageOf(browser, "operator");
  await operator.goto("/calendar");
  await engineer.goto("/calendar");
  await engineer.getByRole("button", { name: "Add…" }).click();
  await engineer.getByLabel("From").fill("2031-12-24");
  await engineer.getByLabel("Until").fill("2031-12-23");
  await engineer.getByLabel("Why").fill("holidays of the test");
  await expect(engineer.getByText("It ends before it begins.")).toBeVisible();
  await engineer.getByLabel("Until").fill("2032-01-02");
  await engineer.getByRole("button", { name: "Add it" }).click();
  const own = engineer.getByRole("grid", { name: "Closures and maintenance" });
  await expect(own.getByText("holidays of the test")).toBeVisible();

  // The other page hears of it by itself.
  const others = operator.getByRole("grid", { name: "Closures and maintenance" });
  await expect(others.getByText("holidays of the test")).toBeVisible();
  await expect(operator.getByRole("button", { name: "Add…" })).toHaveCount(0);

  await own.getByRole("button", { name: "Remove…" }).click();
  await engineer.getByRole("button", { name: "Take it off" }).click();
  await expect(own.getByText("holidays of the test")).toHaveCount(0);
  await expect(others.getByText("holidays of the test")).toHaveCount(0);
});

test("what the bell tells is taken on by one, and everybody sees by whom", async ({ browser }) => {
  const batch = await batchUnder("approvals = 1", "told");
  const title = `A batch waits for approval · ${batch.campaign}`;
  const scientist = await pageOf(browser, "scientist");
  const engineer = await pageOf(browser, "engineer");
  for (const page of [scientist, engineer])
    await page.getByRole("button", { name: /^Notifications/ }).click();
  const line = scientist.getByRole("listitem").filter({ hasText: title });
  await line.getByRole("button", { name: "I look after it" }).click();
  await expect(line).toContainText("looks after it");
  await expect(line.getByRole("button")).toHaveCount(0);
  await expect(engineer.getByRole("listitem").filter({ hasText: title })).toContainText("looks after it");
  await line.getByRole("link", { name: title }).click();
  await expect(scientist).toHaveURL(new RegExp(`/batches/${batch.id}$`));
});

import { expect, test } from "@playwright/test";
import { passHours } from "./lab-time.ts";
import { batchUnder } from "./laboratory.ts";
import { pageOf } from "./people.ts";

test("a batch whose time runs out under an open page says so, and waits again in full once its round is resumed", async ({
  browser,
}) => {
  const batch = await batchUnder("roles = { scientist = 1, engineer = 1 }\nexpires_hours = 2", "in-time");
  const scientist = await pageOf(browser, "scientist");
  await scientist.goto(`/batches/${batch.id}`);
  await scientist.getByRole("button", { name: "Approve…" }).click();
  await scientist.getByRole("button", { name: /^Approve \d+ experiments$/ }).click();
  await expect(scientist.getByText(/1 more person must approve/)).toBeVisible();

  const engineer = await pageOf(browser, "engineer");
  await engineer.goto(`/batches/${batch.id}`);
  const approval = engineer.getByRole("region", { name: "Approval" });
  await expect(approval).toContainText("1 of 2 approvals of revision 1");
  await expect(approval).toContainText("Expires");
  // What tells a page that was loaded anew from the one that stood open.
  await engineer.evaluate(() => Object.assign(window, { stoodOpen: true }));

  passHours(3);

  const notice = engineer.getByRole("alert").filter({ hasText: "Its time for approval is over" });
  await expect(notice).toContainText("not approved within 2 laboratory hours");
  await expect(notice).toContainText("1 in the role engineer");
  await expect(notice).toContainText("Resume the round to have it looked at anew");
  const approve = engineer.getByRole("button", { name: "Approve…" });
  await expect(approve).toHaveAttribute("aria-disabled", "true");
  await approve.hover();
  await expect(engineer.getByRole("tooltip")).toContainText("its time for approval is over");
  await expect(approval).toContainText("0 of 2 approvals of revision 2");
  await expect(approval).not.toContainText("Expires");
  // Nobody changed an experiment: there is nothing to look at first.
  await expect(engineer.getByText("Changed meanwhile")).toHaveCount(0);
  expect(await engineer.evaluate(() => "stoodOpen" in window)).toBe(true);
  // The other one, who had approved in time, hears of it as well.
  await expect(scientist.getByText("Its time for approval is over")).toBeVisible();
  await expect(scientist.getByRole("region", { name: "Approval" })).toContainText("which was changed since");

  await notice.getByRole("link", { name: "the campaign's page" }).click();
  const round = engineer.getByRole("region", { name: /^Round 1 of/ });
  await round.getByRole("button", { name: "Resume…" }).click();
  await engineer.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(engineer.getByText("The round goes on.")).toBeVisible();

  await engineer.goto(`/batches/${batch.id}`);
  await expect(approval).toContainText("Expires");
  await expect(approve).toHaveAttribute("aria-disabled", "false");
  await expect(scientist.getByRole("button", { name: "Approve…" })).toHaveAttribute("aria-disabled", "false");
});

import { expect, test } from "@playwright/test";
import { ask, laboratory } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const INSTRUMENTS = ["handler-1", "incubator-1", "mover-1", "reader-1"];

/** Whether the server has a stop of the laboratory; the app hides it from one that has not. */
const hasStop = () =>
  ask(laboratory(), "/api/v1/laboratory").then(
    () => true,
    () => false,
  );

test.beforeEach(async () => {
  test.skip(!(await hasStop()), "this server has no stop of the laboratory");
});

// A laboratory that stays stopped fails every test after this one.
test.afterEach(async () => {
  if (!(await hasStop())) return;
  await ask(laboratory(), "/api/v1/laboratory/resume", {
    method: "POST",
    body: JSON.stringify({ reason: "the end of the test" }),
  });
});

test("one key and a word stop every robot from any page, every page says so and who has confirmed, until it is resumed", async ({
  browser,
}) => {
  const operator = await pageOf(browser, "operator");
  const scientist = await pageOf(browser, "scientist");
  await operator.goto("/plates");
  await scientist.goto("/calendar");
  await expect(scientist.getByRole("button", { name: /Stop all/ })).toHaveCount(0);
  await expect(operator.getByRole("button", { name: /Stop all/ })).toBeVisible();

  await operator.keyboard.press("!");
  const dialog = operator.getByRole("dialog", { name: "Stop all robots" });
  await expect(dialog).toContainText("press the button on the device itself");
  await expect(dialog.getByRole("button", { name: "Stop all now" })).toBeDisabled();
  await operator.keyboard.type("the deck is flooded");
  await operator.keyboard.press("Enter");

  for (const page of [operator, scientist]) {
    const banner = page.getByRole("region", { name: "The laboratory is stopped" });
    await expect(banner).toContainText("the deck is flooded");
    for (const name of INSTRUMENTS) {
      await expect(banner.getByRole("listitem").filter({ hasText: name })).toContainText(/after .*s/);
    }
    await expect(banner).toContainText("All have confirmed: nothing moves on our orders.");
  }
  // It stands on every page, and over a reload.
  await operator.goto("/tasks");
  await operator.reload();
  const banner = operator.getByRole("region", { name: "The laboratory is stopped" });
  await expect(banner).toBeVisible();
  await expect(operator.getByRole("button", { name: "Stopped" })).toBeVisible();
  await expect(
    scientist.getByRole("region", { name: "The laboratory is stopped" }).getByRole("button"),
  ).toHaveCount(0);

  await banner.getByRole("button", { name: "Resume…" }).click();
  await operator.getByLabel("Why").fill("it was water, and is dried");
  await operator.getByRole("button", { name: "Resume the laboratory" }).click();
  await expect(operator.getByText("The laboratory goes on.")).toBeVisible();
  await expect(banner).toHaveCount(0);
  await expect(scientist.getByRole("region", { name: "The laboratory is stopped" })).toHaveCount(0);
  await expect(operator.getByRole("button", { name: /Stop all/ })).toBeVisible();
});

import { expect, test } from "@playwright/test";
import { batchUnder, laboratory, people } from "./laboratory.ts";
import { pageOf, signIn } from "./people.ts";

test("a wrong password is refused in words, and the right one leads to where one wanted to go", async ({
  page,
}) => {
  const person = people().scientist;
  await page.goto(`${laboratory().app}/plates?state=passed`);
  await page.getByLabel("Name").fill(person?.name ?? "");
  await page.getByLabel("Password", { exact: true }).fill("not this one at all");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Name and password do not fit");
  await expect(page.getByRole("alert")).toContainText("session.wrong_credentials");

  await page.getByLabel("Password", { exact: true }).fill(person?.password ?? "");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Plates", level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/\/plates\?state=passed$/);
});

test("whoever signs out is out, also with the button for going back", async ({ page }) => {
  await signIn(page, "scientist");
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goto(`${laboratory().app}/campaigns`);
  await expect(page).toHaveURL(/\/sign-in/);
});

test("no token and no password stays in the browser's storage, and the cookie is out of scripts' reach", async ({
  browser,
}) => {
  const page = await pageOf(browser, "engineer");
  const kept = await page.evaluate(() =>
    JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }),
  );
  expect(kept).not.toContain(people().engineer?.password);
  expect(kept).not.toMatch(/loopwright_session|csrf/);
  const cookie = (await page.context().cookies()).find((it) => it.name === "loopwright_session");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
});

test("what a role does not open is not offered, and refused where one asks for it all the same", async ({
  browser,
}) => {
  const page = await pageOf(browser, "operator");
  await expect(page.getByRole("link", { name: "Users" })).toHaveCount(0);
  await page.goto("/users");
  await expect(page.getByRole("alert")).toContainText("The users cannot be read");
  // One of its own: on those of others the laboratory's clock may have run out.
  const batch = await batchUnder("approvals = 1", "not-mine");
  await page.goto(`/batches/${batch.id}`);
  await expect(page.getByText("You cannot approve this batch:")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve…" })).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByRole("button", { name: "Remove…" })).toHaveCount(0);
});

import { expect, test } from "@playwright/test";
import { laboratory } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const WITH_ACME = { name: "Sign in with ACME" };

test("an administrator lets somebody sign on, who comes back from another site to where they wanted to go", async ({
  browser,
}) => {
  const admin = await pageOf(browser, "admin");
  await admin.goto("/users");
  await admin.getByRole("button", { name: "New user…" }).click();
  await admin.getByRole("radiogroup", { name: "Signs in by" }).getByText("Identity provider").click();
  await admin.getByLabel("Name in the record").fill("mary");
  await admin.getByLabel("E-mail").fill("Mary@Example.org");
  await admin.getByRole("button", { name: "Make the user" }).click();
  await expect(admin.getByRole("dialog")).toContainText("There is no password to hand over");
  await admin.getByRole("button", { name: "Good" }).click();
  const row = admin.getByRole("row", { name: /Mary@Example.org/ });
  await expect(row).toContainText("identity provider, awaited");

  const context = await browser.newContext({ baseURL: laboratory().app });
  const page = await context.newPage();
  await page.goto("/plates?state=passed");
  await page.getByRole("button", WITH_ACME).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Continue as mary" }).click();
  await expect(page.getByRole("heading", { name: "Plates", level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/\/plates\?state=passed$/);
  const cookies = await context.cookies();
  expect(cookies.find((it) => it.name === "loopwright_session")).toMatchObject({
    httpOnly: true,
    sameSite: "Strict",
  });
  expect(cookies.find((it) => it.name === "loopwright_sign_on")).toBeUndefined();
  await page.goto("/account");
  await expect(page.getByText("have no password here")).toBeVisible();

  await admin.reload();
  await expect(row).toContainText("identity provider");
  await expect(row).not.toContainText("awaited");
  await row.getByRole("button", { name: "Change mary" }).click();
  await admin.getByRole("menuitem", { name: "Unlink…" }).click();
  await admin.getByRole("button", { name: "Unlink", exact: true }).click();
  await expect(row).toContainText("awaited");
  await page.goto("/plates");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("whoever has no account, or goes back, is told so in words, and the password still opens", async ({
  page,
}) => {
  for (const [link, words, code] of [
    ["Continue as eve", "There is no account for you", "sign_on.no_account"],
    ["Cancel", "The identity provider did not let you in", "sign_on.provider_refused"],
  ] as const) {
    await page.goto(`${laboratory().app}/sign-in?from=%2Fplates`);
    await page.getByRole("button", WITH_ACME).click();
    await page.getByRole("link", { name: link }).click();
    await expect(page.getByRole("alert")).toContainText(words);
    await expect(page.getByRole("alert")).toContainText(code);
    expect(page.url()).toBe(`${laboratory().app}/sign-in?refused=${code}&from=%2Fplates`);
  }
  await expect(page.getByLabel("Password", { exact: true })).toBeVisible();
});

import { type Browser, expect, type Page } from "@playwright/test";
import { laboratory, people } from "./laboratory.ts";

/** A page of somebody in this role, in a browser of their own, signed in. */
export async function pageOf(browser: Browser, role: string): Promise<Page> {
  const context = await browser.newContext({ baseURL: laboratory().app });
  const page = await context.newPage();
  await signIn(page, role);
  return page;
}

export async function signIn(page: Page, role: string) {
  const person = people()[role];
  if (!person) throw new Error(`the demo has nobody in the role ${role}`);
  await page.goto(`${laboratory().app}/sign-in`);
  await page.getByLabel("Name").fill(person.name);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("navigation", { name: "Places" })).toBeVisible();
}

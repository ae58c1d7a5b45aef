import { expect, test } from "@playwright/test";
import { ask, laboratory } from "./laboratory.ts";
import { pageOf } from "./people.ts";

// The example excludes the last two: they have to be among the genes.
const TABLE = ["gene", "CBLB", "CD5", "RASA2", "TCEB2", "CD3E", "CD3G", ""].join("\n");
const GENES = { name: "genes.csv", mimeType: "text/csv", buffer: Buffer.from(TABLE) };

/** The text of the example under a name of its own, begun by hand: no round of it disturbs other tests. */
const own = (example: string, name: string) =>
  example
    .replace(/^name = .*$/m, `name = "${name}"`)
    .replace(/^cron = .*$/m, 'mode = "manual"')
    .replace(/^batch = 128$/m, "batch = 2");

test("an engineer writes a campaign in the browser: the slip has its line, and what was created has its page", async ({
  browser,
}) => {
  const name = `from-the-browser-${Date.now()}`;
  const page = await pageOf(browser, "engineer");
  await page.goto("/campaigns");
  await page.getByRole("link", { name: "New campaign" }).click();
  await expect(page).toHaveURL(/\/campaigns\/new$/);
  const text = page.getByRole("textbox", { name: "Text of the campaign" });
  const create = page.getByRole("button", { name: "Create campaign" });
  const check = page.getByRole("region", { name: "Check" });
  await expect(check.getByRole("status")).toHaveText("There is nothing to check yet.");
  await expect(create).toBeDisabled();

  await page.getByRole("button", { name: "Start from" }).click();
  await page.getByRole("menuitem", { name: "The example, with comments" }).click();
  await expect(text).toHaveValue(/^name = "ifng-screen"$/m);
  const right = own(await text.inputValue(), name);
  const slip = right.replace('direction = "two_sided"', 'direction = "upwards"');
  const line = slip.split("\n").findIndex((it) => it.startsWith("direction = ")) + 1;
  await text.fill(slip);
  const problem = check.getByRole("button", { name: /objective\.direction/ });
  await expect(problem).toContainText(String(line));
  await expect(create).toBeDisabled();
  await problem.click();
  await expect(text).toBeFocused();
  const caret = await text.evaluate((field: HTMLTextAreaElement) => field.selectionStart);
  expect(slip.slice(0, caret).split("\n")).toHaveLength(line);

  // A reload asks, and loses nothing.
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  await expect(text).toHaveValue(slip);
  await text.fill(right);
  await expect(check.getByRole("status")).toContainText("The text is right");
  const coming = page.getByRole("region", { name: "What will come" });
  await expect(coming).toContainText("By hand");
  await expect(coming).toContainText("at least 1");
  await expect(page.getByText("genes.csv is missing.")).toBeVisible();

  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose the file for genes.csv" }).click();
  await (await choosing).setFiles(GENES);
  await expect(page.getByRole("list", { name: "Files of the campaign" })).toContainText(/stored/i);

  await create.click();
  await expect(page.getByText(`Campaign ${name} is created.`)).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  const { items } = await ask<{ items: { id: string; name: string }[] }>(
    laboratory(),
    "/api/v1/campaigns?limit=1000",
  );
  const made = items.find((it) => it.name === name);
  await expect(page).toHaveURL(new RegExp(`/campaigns/${made?.id}$`));
  await ask(laboratory(), `/api/v1/campaigns/${made?.id}/cancel`, {
    method: "POST",
    body: JSON.stringify({ reason: "the end of the test" }),
  });
});

test("leaving with a text that is nowhere else is asked for, and the text can be kept", async ({
  browser,
}) => {
  const page = await pageOf(browser, "engineer");
  await page.getByRole("button", { name: "Search for a page, campaign, batch or plate" }).click();
  await page.getByRole("combobox", { name: "Search" }).fill("new camp");
  await expect(page.getByRole("option", { name: "New campaign" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  const text = page.getByRole("textbox", { name: "Text of the campaign" });
  await text.fill('name = "half"');
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Batches" }).click();
  await page.getByRole("button", { name: "Stay" }).click();
  await expect(page).toHaveURL(/\/campaigns\/new$/);
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Batches" }).click();
  await page.getByRole("button", { name: "Leave, and keep it" }).click();
  await expect(page).toHaveURL(/\/batches$/);
  await page.goto("/campaigns/new");
  await expect(text).toHaveValue('name = "half"');
});

test("whoever may not create campaigns is offered no page for it", async ({ browser }) => {
  const page = await pageOf(browser, "scientist");
  await page.goto("/campaigns");
  await expect(page.getByRole("grid", { name: "Campaigns" })).toBeVisible();
  await expect(page.getByRole("link", { name: "New campaign" })).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search" }).fill("new camp");
  await expect(page.getByText("Nothing is called that.")).toBeVisible();
});

import { expect, test } from "@playwright/test";
import { ask, batchUnder, laboratory, untilNothingMoves } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const SEAL = `
[[assay.by_hand]]
before = "incubate"
instruction = "Seal the plate with foil."
`;

test("an operator finds a step on home, takes it, scans the plate and says that it is done", async ({
  browser,
}) => {
  test.setTimeout(180_000);
  const lab = laboratory();
  const batch = await batchUnder("approvals = 1", "hands", SEAL);
  const operator = await pageOf(browser, "operator");
  await operator.goto("/");
  await ask(lab, `/api/v1/batches/${batch.id}/approve`, {
    method: "POST",
    headers: { "if-match": `"${batch.revision}"` },
    body: JSON.stringify({ reason: null }),
  });

  // The page stood open, and hears of it by itself.
  const need = operator
    .getByRole("region", { name: "What needs you now" })
    .getByRole("listitem")
    .filter({ hasText: "Seal the plate with foil waits for hands" });
  await expect(need).toBeVisible({ timeout: 60_000 });
  await need.getByRole("link", { name: "Do it" }).click();
  await expect(operator).toHaveURL(/\/by-hand$/);

  const step = operator.getByRole("article", { name: "Seal the plate with foil." });
  const plates = step.getByRole("list", { name: "Plates" });
  const barcode = (await plates.locator("span").first().textContent()) ?? "";
  await step.getByRole("button", { name: "I do it" }).click();
  const field = step.getByLabel("Scan or type the barcode");
  await expect(field).toBeFocused();
  await operator.keyboard.type("ANOTHER");
  await operator.keyboard.press("Enter");
  await expect(step.getByRole("alert")).toHaveText(
    `ANOTHER is not a plate of this step: it is for ${barcode}.`,
  );
  // Wherever the page is, a scanner writes into the field: its Enter presses no button.
  await step.getByRole("button", { name: "Done", exact: true }).focus();
  await operator.keyboard.type(barcode);
  await operator.keyboard.press("Enter");
  await expect(step.getByLabel("scanned")).toBeVisible();
  await expect(step.getByRole("alert")).toHaveCount(0);
  await step.getByLabel("Note").fill("foil lot 7");
  await step.getByRole("button", { name: "Done", exact: true }).click();
  await expect(operator.getByText("Nothing waits for hands")).toBeVisible();

  const { items } = await ask<{ items: { id: string }[] }>(lab, "/api/v1/jobs?kind=manual");
  const job = await ask<{ state: string; output: { result: { note: string } } }>(
    lab,
    `/api/v1/jobs/${items[0]?.id}`,
  );
  expect(job.state).toBe("succeeded");
  expect(job.output.result.note).toBe("foil lot 7");
  // The plate goes on its way.
  await untilNothingMoves();
});

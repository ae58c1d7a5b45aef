import { expect, type Page, test } from "@playwright/test";
import { ask, laboratory } from "./laboratory.ts";
import { pageOf } from "./people.ts";

const LABWARE = "corning_384_wellplate_112ul_flat";
const HEAD = "barcode,labware,well,content,volume_nl";
/** Of its own, also where the demo runs on from an earlier try. */
const RUN = Date.now();

const sourceTable = (barcode: string, ...lines: string[]) =>
  [HEAD, ...lines.map((line) => `${barcode},${LABWARE},${line}`)].join("\n");

/** Registers a source plate beside the browser. */
const register = (csv: string) =>
  ask(laboratory(), "/api/v1/inventory/library", {
    method: "POST",
    headers: { "content-type": "text/csv" },
    body: csv,
  });

const rowOf = (page: Page, grid: string, text: string) =>
  page.getByRole("grid", { name: grid, exact: true }).getByRole("row").filter({ hasText: text });

test("an operator registers a plate from a table, corrects the line that was refused, and finds the plate", async ({
  browser,
}) => {
  const barcode = `E2E-REG-${RUN}`;
  const operator = await pageOf(browser, "operator");
  await operator.getByRole("link", { name: "Stock", exact: true }).click();
  await operator.getByRole("link", { name: "Source plates" }).click();
  await expect(operator).toHaveURL(/tab=sources/);

  await operator.getByRole("button", { name: "Register plates…" }).click();
  const dialog = operator.getByRole("dialog", { name: "Register plates" });
  const table = dialog.getByLabel("The table");
  await table.fill("barcode,labware,well\nX,Y,A1");
  await expect(dialog.getByText("In the first line is no content, no volume_nl.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Register", exact: true })).toBeDisabled();

  await table.fill(sourceTable(barcode, "A1,E2E-CBLB,50000", "A2,E2E-CD5,999999999"));
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  const refused = dialog.getByRole("alert");
  await expect(refused).toContainText("Nothing was registered");
  await expect(refused).toContainText("Line 3: 999999999 nL do not fit into a well");
  await expect(refused).toContainText(`${barcode},${LABWARE},A2,E2E-CD5,999999999`);
  await expect(table).toHaveValue(/999999999/);

  // As a spreadsheet copies it.
  const good = sourceTable(barcode, "A1,E2E-CBLB,50000", "A2,E2E-CD5,6000");
  await table.fill(good.replaceAll(",", "\t"));
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await expect(dialog.getByText("1 plate registered with 2 wells, standing in storage.")).toBeVisible();
  await dialog.getByRole("button", { name: "Another table" }).click();
  await table.fill(good);
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await expect(
    dialog.getByText("Nothing new: 1 plate of the table was known already and stays as it is."),
  ).toBeVisible();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  await operator.getByLabel("Search by barcode").fill(barcode.toLowerCase());
  const row = rowOf(operator, "Source plates", barcode);
  await expect(row).toContainText("56 µL");
  await expect(row).toContainText("in storage");
  await row.getByRole("link", { name: barcode }).click();
  await expect(operator.getByRole("heading", { level: 1, name: barcode })).toBeVisible();
  await expect(operator.getByRole("img", { name: /volume left/ })).toBeVisible();

  await operator
    .getByRole("navigation", { name: "Where you are" })
    .getByRole("link", { name: "Stock" })
    .click();
  await operator.getByRole("link", { name: "Reagents" }).click();
  await operator.getByLabel("Search by name").fill("e2e-cblb");
  await expect(rowOf(operator, "Reagents", "E2E-CBLB")).toContainText("50 µL");
});

test("wells are counted in microlitres, others see it at once, and the record says who, why and from what", async ({
  browser,
}) => {
  const barcode = `E2E-CNT-${RUN}`;
  await register(sourceTable(barcode, "A1,E2E-ONE,50000", "A2,E2E-TWO,40000"));
  const operator = await pageOf(browser, "operator");
  const scientist = await pageOf(browser, "scientist");
  for (const page of [operator, scientist]) await page.goto(`/stock/${barcode}`);
  await expect(scientist.getByRole("grid", { name: "Wells" })).toContainText("50 µL");
  await expect(scientist.getByRole("button", { name: /Count|Withdraw/ })).toHaveCount(0);

  await expect(operator.getByRole("button", { name: "Count wells…" })).toBeDisabled();
  await rowOf(operator, "Wells", "E2E-ONE").getByLabel("Choose").check();
  await rowOf(operator, "Wells", "E2E-TWO").getByLabel("Choose").check();
  await operator.getByRole("button", { name: "Count 2 wells…" }).click();
  const dialog = operator.getByRole("dialog", { name: /^Count wells of/ });
  const found = dialog.getByLabel("Found in A1, microlitres");
  await expect(found).toBeFocused();
  // Nanolitres, where microlitres are asked for.
  await operator.keyboard.type("48000");
  await expect(dialog.getByText("A well holds 112 µL at most")).toBeVisible();
  await dialog.getByLabel("Why").fill("weighed");
  await expect(dialog.getByRole("button", { name: "Set what was found" })).toBeDisabled();
  await found.fill("48.5");
  // Enter goes on to the next well, and sends nothing.
  await found.press("Enter");
  await expect(dialog.getByLabel("Found in A2, microlitres")).toBeFocused();
  await dialog.getByRole("button", { name: "Set 1 well" }).click();
  await expect(operator.getByText("Counted on 1 plate: 1 well changed.")).toBeVisible();

  for (const page of [operator, scientist]) {
    await expect(rowOf(page, "Wells", "E2E-ONE")).toContainText("48.5 µL");
    await expect(rowOf(page, "Wells", "E2E-TWO")).toContainText("40 µL");
    const record = page.getByRole("region", { name: "What people did" });
    await expect(record).toContainText("Counted");
    await expect(record).toContainText("weighed");
    await expect(record).toContainText("50 → 48.5 µL");
  }
});

test("a plate is withdrawn and put back; what somebody else did meanwhile is said, and nothing typed is lost", async ({
  browser,
}) => {
  const barcode = `E2E-OUT-${RUN}`;
  await register(sourceTable(barcode, "A1,E2E-OUT,50000"));
  const operator = await pageOf(browser, "operator");
  await operator.goto(`/stock/${barcode}`);
  await operator.getByRole("button", { name: "Found in storage…" }).click();
  const dialog = operator.getByRole("dialog");
  await dialog.getByLabel("Why").fill("it stood behind the others");
  await ask(laboratory(), `/api/v1/inventory/plates/${barcode}/withdraw`, {
    method: "POST",
    body: JSON.stringify({ reason: "mould in B3" }),
  });
  await dialog.getByRole("button", { name: "It stands in storage" }).click();
  await expect(dialog.getByRole("alert")).toContainText(`${barcode} is withdrawn: put it back.`);
  await expect(dialog.getByLabel("Why")).toHaveValue("it stood behind the others");
  await dialog.getByRole("button", { name: "Back", exact: true }).click();

  await expect(operator.getByText("taken out")).toBeVisible();
  await expect(operator.getByRole("button", { name: /^(Withdraw|Found|Count)/ })).toHaveCount(0);
  await operator.getByRole("button", { name: "Put back…" }).click();
  await operator.getByRole("dialog").getByLabel("Why").fill("it was a shadow");
  await operator.getByRole("button", { name: "Put it back" }).click();
  await expect(operator.getByText("It is back in storage.")).toBeVisible();
  const record = operator.getByRole("region", { name: "What people did" });
  await expect(record.getByRole("listitem")).toContainText([
    /Put back.*it was a shadow/s,
    /Withdrawn.*mould in B3/s,
  ]);

  // The record of everything leads to it.
  await operator.goto("/events");
  await operator.getByLabel("Filter events").fill("stock put back");
  await operator.getByRole("link", { name: barcode }).first().click();
  await expect(operator).toHaveURL(new RegExp(`/stock/${barcode}$`));
});

test("what rounds want is said for as far ahead as one asks, and the address keeps it", async ({
  browser,
}) => {
  const scientist = await pageOf(browser, "scientist");
  await scientist.keyboard.press("g");
  await scientist.keyboard.press("s");
  const panel = scientist.getByRole("region", { name: "Runs out" });
  await expect(panel).toBeVisible();
  await panel.getByText("12 weeks").click();
  await expect(scientist).toHaveURL(/weeks=12/);
  await scientist.getByRole("link", { name: "Blank plates" }).click();
  await scientist.goBack();
  await expect(panel.getByRole("radio", { name: "12 weeks" })).toBeChecked();
  await expect(panel.getByRole("grid").or(panel.getByText(/Nothing is wanted/))).toBeVisible();
  await expect(scientist.getByRole("button", { name: /Register|Count/ })).toHaveCount(0);
});

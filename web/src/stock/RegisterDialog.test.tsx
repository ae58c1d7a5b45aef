// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { Surroundings } from "../tests/Surroundings.tsx";
import { RegisterDialog } from "./RegisterDialog.tsx";

afterEach(() => vi.unstubAllGlobals());

test("a table of blank plates is pasted or chosen as a file, and the answer says what came in", async () => {
  const sent: { path: string; body: string }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push({ path: new URL(request.url).pathname, body: await request.text() });
    const headers = { "content-type": "application/json" };
    return new Response(JSON.stringify({ plates: 1, wells: 0, known: 1 }), { headers });
  });
  const close = vi.fn();
  render(<RegisterDialog first="library" close={close} />, { wrapper: Surroundings });
  const user = userEvent.setup();
  await user.click(screen.getByRole("radio", { name: "Blank plates" }));
  const register = () => screen.getByRole("button", { name: "Register" });
  await user.click(screen.getByLabelText("The table"));
  await user.paste("barcode\tlabware");
  expect(screen.getByRole("status")).toHaveTextContent("In the first line is no context.");
  expect(register()).toBeDisabled();

  const file = new File(["barcode;labware;context\nP-1;x;donor-1\n"], "plates.csv", { type: "text/csv" });
  const field = document.querySelector<HTMLInputElement>("input[type=file]");
  if (!field) throw new Error("there is no field for a file");
  await user.upload(field, file);
  expect(await screen.findByText("plates.csv")).toBeInTheDocument();
  await user.click(register());
  expect(await screen.findByText(/1 plate registered, standing in storage. 1 was known/)).toBeInTheDocument();
  expect(sent).toEqual([
    { path: "/api/v1/inventory/assay-plates", body: "barcode,labware,context\nP-1,x,donor-1\n" },
  ]);
  await user.click(screen.getByRole("button", { name: "Close" }));
  expect(close).toHaveBeenCalled();
});

// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { stockPlate } from "../tests/made.ts";
import { Surroundings } from "../tests/Surroundings.tsx";
import { CountWells } from "./CountWells.tsx";

afterEach(() => vi.unstubAllGlobals());

const REFUSED = {
  code: "inventory.invalid_table",
  detail:
    "line 2: LIB-1 stands in handler-1: count it when it is back in storage. Nothing of the table was taken.",
  errors: [{ line: 2, column: 1, path: "", reason: "LIB-1 stands in handler-1" }],
};

/** Answers what is sent in turn, and keeps it. */
function server(...answers: [number, unknown][]) {
  const sent: { asked: string; type: string | null; body: string }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const type = request.headers.get("content-type");
    sent.push({ asked: decodeURIComponent(pathname + search), type, body: await request.text() });
    const [status, body] = answers.shift() ?? [200, {}];
    const headers = { "content-type": "application/json" };
    return new Response(JSON.stringify(body), { status, headers });
  });
  return sent;
}

function show() {
  const plate = stockPlate();
  const told = { close: vi.fn(), counted: vi.fn() };
  render(<CountWells plate={plate} wells={plate.well_list} {...told} />, { wrapper: Surroundings });
  return told;
}

const found = (well: string) => screen.getByLabelText(`Found in ${well}, microlitres`);

test("what was found goes as a table in nanolitres; a refusal shows its line and loses nothing", async () => {
  const sent = server([422, REFUSED], [200, { plates: 1, changed: 1, added: 0, as_known: 0 }]);
  const { close, counted } = show();
  const user = userEvent.setup();
  await user.type(found("A1"), "48.5{Enter}");
  expect(found("A2")).toHaveFocus();
  await user.type(screen.getByLabelText("Why"), "weighed");
  await user.click(screen.getByRole("button", { name: "Set 1 well" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Line 2: LIB-1 stands in handler-1.");
  expect(screen.getByRole("alert")).toHaveTextContent("LIB-1,A1,48500");
  expect(found("A1")).toHaveValue("48.5");
  expect(close).not.toHaveBeenCalled();

  await user.click(screen.getByRole("button", { name: "Set 1 well" }));
  await vi.waitFor(() => expect(counted).toHaveBeenCalled());
  expect(close).toHaveBeenCalled();
  expect(sent).toEqual(
    Array(2).fill({
      asked: "/api/v1/inventory/volumes?reason=weighed",
      type: "text/csv",
      body: "barcode,well,volume_nl\nLIB-1,A1,48500\n",
    }),
  );
});

test("nothing is sent while one of them cannot be, or without a reason", async () => {
  const sent = server();
  show();
  const user = userEvent.setup();
  await user.type(found("A1"), "48000");
  await user.type(found("A2"), "12");
  expect(screen.getByText("A well holds 112 µL at most")).toBeInTheDocument();
  await user.type(screen.getByLabelText("Why"), "weighed");
  expect(screen.getByRole("button", { name: "Set 1 well" })).toBeDisabled();
  await user.clear(found("A1"));
  expect(screen.getByRole("button", { name: "Set 1 well" })).toBeEnabled();
  await user.clear(screen.getByLabelText("Why"));
  expect(screen.getByRole("button", { name: "Set 1 well" })).toBeDisabled();
  expect(sent).toEqual([]);
});

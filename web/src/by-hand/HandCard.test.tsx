// @vitest-environment jsdom
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { stepByHand } from "../tests/made.ts";
import { Surroundings } from "../tests/Surroundings.tsx";
import { HandCard } from "./HandCard.tsx";
import { type Whose, whoseOf } from "./sections.ts";
import type { ByHand, Trouble } from "./types.ts";

afterEach(() => vi.unstubAllGlobals());

const mine: Partial<ByHand> = { state: "running", taken_by: "rosa", taken_by_id: "u1" };

/** Answers what is sent in turn, and keeps it. */
function server(...answers: [number, unknown][]) {
  const sent: { path: string; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    if (request.method === "GET") {
      const body = { mode: "real", lab_at: "2026-01-05T08:00:00Z" };
      return new Response(JSON.stringify(body), { status: 200 });
    }
    const text = await request.text();
    sent.push({ path: new URL(request.url).pathname, body: text ? JSON.parse(text) : null });
    const [status, body] = answers.shift() ?? [200, {}];
    return new Response(JSON.stringify(body), { status });
  });
  return sent;
}

/** The card as the page holds it; a step that is taken moves to what one has in hand. */
function Held({ step, may }: { step: ByHand; may: boolean }) {
  const [trouble, tell] = useState<Trouble | null>(null);
  const [taken, take] = useState<string | null>(null);
  const now: ByHand = taken ? { ...step, ...mine } : step;
  const whose: Whose = whoseOf(now, "u1");
  return (
    <HandCard
      key={whose}
      step={now}
      whose={whose}
      may={may}
      bench={{ trouble, tell, taken, take, leave: () => {} }}
    />
  );
}

async function show(step: ByHand, may = true) {
  const root = createRootRoute({ component: () => <Held step={step} may={may} /> });
  const router = createRouter({ routeTree: root, history: createMemoryHistory() });
  render(<RouterProvider router={router as never} />, { wrapper: Surroundings });
  await screen.findByRole("heading", { name: step.instruction });
}

const button = (name: string) => screen.getByRole("button", { name });
const field = () => screen.getByLabelText("Scan or type the barcode");

test("a taken step gives the field to the scanner, which ticks its plate, and done says so", async () => {
  const sent = server([200, { answer_by: "2026-01-05T09:00:00Z" }]);
  await show(stepByHand());
  expect(screen.getByText("handler-1, slot 4")).toBeInTheDocument();
  await userEvent.click(button("I do it"));
  await waitFor(() => expect(field()).toHaveFocus());
  expect(screen.getByText("not scanned")).toBeInTheDocument();

  await userEvent.keyboard("P-1{Enter}");
  expect(field()).toHaveValue("");
  expect(screen.getByLabelText("scanned")).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText("Note"), "foil 12");
  await userEvent.click(button("Done"));
  await waitFor(() =>
    expect(sent).toEqual([
      { path: "/api/v1/jobs/s1/take", body: null },
      { path: "/api/v1/jobs/s1/done", body: { attempt: 0, note: "foil 12", scanned: ["P-1"] } },
    ]),
  );
});

test("another plate is told at once, and is not sent", async () => {
  const sent = server();
  await show(stepByHand(mine));
  await userEvent.type(field(), "P-2{Enter}");
  const words = "P-2 is not a plate of this step: it is for P-1.";
  expect(screen.getByRole("alert")).toHaveTextContent(words);
  expect(field()).toBeInvalid();
  expect(field()).toHaveAccessibleDescription(words);

  // Nothing is done with another plate in the hand.
  await userEvent.click(button("Done"));
  expect(field()).toHaveFocus();
  expect(sent).toEqual([]);
  await userEvent.click(button("Forget that scan"));
  expect(screen.queryByRole("alert")).toBeNull();

  // Typed, and `Done` pressed without an Enter: it counts as a scan.
  await userEvent.type(field(), "P-4");
  await userEvent.click(button("Done"));
  expect(screen.getByText(/^P-4 is not a plate/)).toBeInTheDocument();
  expect(field()).toHaveFocus();
  expect(sent).toEqual([]);
});

test("nothing has to be scanned", async () => {
  const sent = server();
  await show(stepByHand(mine));
  await userEvent.click(button("Done"));
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]?.body).toEqual({ attempt: 0, note: "", scanned: [] });
});

test("what went wrong is asked for, and stays in the dialog when the server refuses it", async () => {
  const sent = server([409, { code: "job.not_held", detail: "Nobody has it in hand." }], [200, {}]);
  await show(stepByHand({ ...mine, taken_by: "ada", taken_by_id: "u2" }));
  await userEvent.click(button("Something went wrong…"));
  expect(screen.getByText(/goes into doubt: nothing that depends on it moves/)).toBeInTheDocument();
  expect(button("Put it in doubt")).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Why"), "it fell");
  await userEvent.click(button("Put it in doubt"));
  expect(await screen.findByRole("alert")).toHaveTextContent("Nobody has it in hand.");
  expect(screen.getByLabelText("Why")).toHaveValue("it fell");
  await userEvent.click(button("Put it in doubt"));
  await waitFor(() => expect(screen.queryByLabelText("Why")).toBeNull());
  expect(sent[1]).toEqual({ path: "/api/v1/jobs/s1/went-wrong", body: { attempt: 0, reason: "it fell" } });
});

test("a step that somebody else took first is told in the server's words", async () => {
  server([409, { code: "job.not_on_offer", detail: "ada has it in hand." }]);
  await show(stepByHand({ attempt: 2 }));
  expect(screen.getByText(/taken before, 2 times/)).toBeInTheDocument();
  await userEvent.click(button("I do it"));
  expect(await screen.findByRole("alert")).toHaveTextContent("ada has it in hand.");
});

test("whoever may not act sees the step, and that it is asked to stop, but no buttons", async () => {
  server();
  await show(stepByHand({ ...mine, state: "stopping" }), false);
  expect(screen.getByRole("alert")).toHaveTextContent(
    "Somebody asked to stop it: put things down, and say how far it came.",
  );
  expect(screen.queryAllByRole("button")).toEqual([]);
});

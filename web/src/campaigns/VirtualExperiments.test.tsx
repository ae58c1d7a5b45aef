// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { Campaign } from "../api/types.ts";
import { Surroundings } from "../tests/Surroundings.tsx";
import { VirtualExperiments } from "./VirtualExperiments.tsx";

afterEach(() => vi.unstubAllGlobals());

const campaign = { id: "c1", spec: { design: { contexts: ["donor1"] } } } as Campaign;
const question = { job_id: "j1", state: "ready", model_version: 3, checkpoint: "c", training_rows: 640 };
const prediction = {
  perturbation: "CBLB+RASA2",
  context: "donor1",
  mean: 1.5,
  epistemic_sd: 0.3,
  aleatoric_sd: 0.4,
  hit_probability: 0.75,
  intervals: { of_50: [1.16, 1.84], of_80: [0.86, 2.14], of_90: [0.68, 2.32] },
  grounds: null,
  note: "Trained on 640 rows.",
};

/** Answers the session with these scopes, and the rest in turn. */
function server(scopes: string[], answers: [number, unknown][]) {
  const asked: { method: string; path: string; body: string }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname;
    if (path === "/api/v1/session") return new Response(JSON.stringify({ scopes }), { status: 200 });
    asked.push({ method: request.method, path, body: await request.text() });
    const [status, body] = answers.shift() ?? [500, {}];
    return new Response(JSON.stringify(body), { status });
  });
  return asked;
}

async function ask(names: string) {
  render(<VirtualExperiments campaign={campaign} />, { wrapper: Surroundings });
  await userEvent.type(await screen.findByLabelText("Perturbations"), names);
  await userEvent.click(screen.getByRole("button", { name: "Ask the model" }));
}

test("an answer that takes long is looked for again, and shows its interval and what it rests on", async () => {
  const done = { ...question, state: "succeeded", predictions: [prediction] };
  const asked = server(
    ["read", "batch:edit"],
    [
      [202, { ...question, predictions: null }],
      [200, done],
    ],
  );
  await ask("CBLB+RASA2");
  await userEvent.click(await screen.findByRole("button", { name: "Look again" }));
  expect(await screen.findByText("0.68 to 2.32")).toBeInTheDocument();
  expect(screen.getByText("CBLB+RASA2: Trained on 640 rows.")).toBeInTheDocument();
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /api/v1/campaigns/c1/predictions",
    "GET /api/v1/campaigns/c1/predictions/j1",
  ]);
  expect(JSON.parse(asked[0]?.body ?? "{}").experiments).toEqual([
    { perturbation: "CBLB+RASA2", context: "donor1" },
  ]);
});

test("a question that cannot be asked is answered in the server's words", async () => {
  server(["batch:edit"], [[409, { code: "model.none_yet", detail: "No version is in use yet." }]]);
  await ask("CBLB");
  expect(await screen.findByRole("alert")).toHaveTextContent("No version is in use yet.");
});

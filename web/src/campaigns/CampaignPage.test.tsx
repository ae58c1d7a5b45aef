// @vitest-environment jsdom
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { makeQueryClient } from "../app/query-client.ts";
import { theme } from "../app/theme.ts";
import { routeTree } from "../routeTree.gen.ts";

// What stands around it and below it has pages and tests of its own.
vi.mock("../shell/AppFrame.tsx", () => ({ AppFrame: ({ children }: { children: ReactNode }) => children }));
vi.mock("../live/LiveProvider.tsx", () => ({
  LiveProvider: ({ children }: { children: ReactNode }) => children,
}));
vi.mock("./About.tsx", () => ({ About: () => null }));
vi.mock("./LearningCurve.tsx", () => ({ LearningCurve: () => null }));
vi.mock("./VirtualExperiments.tsx", () => ({ VirtualExperiments: () => null }));
afterEach(() => vi.unstubAllGlobals());

const SESSION = {
  user: { id: "ana", name: "ana", display_name: "Ana" },
  grants: [{ project_id: null, role: "engineer" }],
  scopes: ["read", "campaign:write"],
  csrf_token: "proof",
};
const round = (number: number, state: string) => ({
  round_id: `r${number}`,
  number,
  state,
  due_lab_at: "2031-01-06T07:30:00Z",
  jobs: {},
  plates: {},
  stage_seconds: {},
});
const campaign = (id: string) => ({
  id,
  name: `campaign ${id}`,
  state: "active",
  created_at: "2031-01-01T00:00:00Z",
  spec: { goal: "hits", design: { contexts: ["D1"] }, budget: { rounds: 9 } },
  inputs: [],
});
const progress = (id: string) => ({
  campaign_id: id,
  name: `campaign ${id}`,
  state: "active",
  hits: 0,
  passed_qc: 0,
  pool_size: 100,
  rounds_planned: 9,
  rounds: [round(1, "closed"), round(2, "executing"), round(3, "proposing")],
});

function server() {
  vi.stubGlobal("fetch", async (asked: Request | string) => {
    const path = typeof asked === "string" ? asked : new URL(asked.url).pathname;
    const [, what, id = "", more] = path.match(/^\/api\/v1\/(\w+)\/?([\w-]*)\/?([\w-]*)$/) ?? [];
    const answers: Record<string, unknown> = {
      session: SESSION,
      laboratory: { stop: null, places: [], not_confirmed: [] },
      [`campaigns/${id}`]: campaign(id),
      [`campaigns/${id}/progress`]: progress(id),
      [`rounds/${id}`]: { id, number: 1, state: "executing", campaign_id: "c1", hold: null },
      clock: { mode: "real", lab_at: "2031-01-01T00:00:00Z" },
    };
    const answer = answers[[what, id, more].filter(Boolean).join("/")];
    return answer === undefined
      ? new Response(JSON.stringify({ code: "route.unknown", detail: "No such thing." }), { status: 404 })
      : new Response(JSON.stringify(answer));
  });
}

async function openedAt(path: string) {
  server();
  const client = makeQueryClient();
  const history = createMemoryHistory({ initialEntries: [path] });
  const router = createRouter({ routeTree, history, context: { queryClient: client } });
  render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return router;
}

test("every round that lives is shown, and can be ordered", async () => {
  await openedAt("/campaigns/c1");
  for (const number of [3, 2]) {
    const region = within(await screen.findByRole("region", { name: `Round ${number} of 9` }));
    expect(region.getByRole("list", { name: `Stages of round ${number}` })).toBeInTheDocument();
    await userEvent.click(await region.findByRole("button", { name: "Pause…" }));
    expect(
      await screen.findByRole("dialog", { name: `Pause round ${number} of campaign c1` }),
    ).toBeInTheDocument();
    await userEvent.keyboard("{Escape}");
  }
  expect(screen.queryByRole("region", { name: "Round 1 of 9" })).toBeNull();
}, 30_000);

test("what was asked of one campaign does not stay on the page of another", async () => {
  const router = await openedAt("/campaigns/c1");
  // Both are known, as after a look at each: nothing is waited for in between.
  await screen.findByRole("heading", { name: "campaign c1" });
  await router.navigate({ to: "/campaigns/$campaignId", params: { campaignId: "c2" } });
  await screen.findByRole("heading", { name: "campaign c2" });
  await userEvent.click((await screen.findAllByRole("button", { name: "Pause…" }))[0] as HTMLElement);
  await screen.findByRole("dialog", { name: "Pause campaign c2" });
  await router.navigate({ to: "/campaigns/$campaignId", params: { campaignId: "c1" } });
  await screen.findByRole("heading", { name: "campaign c1", hidden: true });
  expect(screen.queryByRole("dialog")).toBeNull();
}, 30_000);

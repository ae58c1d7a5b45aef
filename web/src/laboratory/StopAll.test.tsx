// @vitest-environment jsdom
import { Notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { sessionQuery } from "../api/queries.ts";
import type { Grant } from "../api/types.ts";
import { Surroundings } from "../tests/Surroundings.tsx";
import { laboratoryQuery } from "./queries.ts";
import { StopAll } from "./StopAll.tsx";

afterEach(() => vi.unstubAllGlobals());

const EVERYWHERE: Grant = { project_id: null, role: "operator" };
const LABORATORY = { stop: null, places: [], not_confirmed: [] };

/** A server that lets a stop hang until it is told how it ends. */
function server(grant: Grant) {
  let fail = () => {};
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST")
      return await new Promise((_, reject) => {
        fail = () => reject(new TypeError("Failed to fetch"));
      });
    const session = { scopes: ["read", "job:resolve"], grants: [grant] };
    return new Response(JSON.stringify(pathname.endsWith("/session") ? session : LABORATORY));
  });
  return { fail: () => fail() };
}

function Read() {
  const session = useQuery(sessionQuery);
  const laboratory = useQuery(laboratoryQuery);
  return session.data && laboratory.data ? "all is read" : null;
}

const page = (shown: boolean) => (
  <Surroundings>
    <Notifications />
    {shown ? <StopAll /> : null}
    <Read />
  </Surroundings>
);

async function askedForStop() {
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: /Stop all/ }));
  await user.type(await screen.findByLabelText("Why"), "the deck is flooded{Enter}");
  await waitFor(() => expect(screen.getByRole("button", { name: "Back" })).toBeDisabled());
  return user;
}

test("a stop that is under way keeps its dialog, and says in it that it failed", async () => {
  const { fail } = server(EVERYWHERE);
  render(page(true));
  const user = await askedForStop();
  await user.keyboard("{Escape}");
  fail();
  const notice = await screen.findByRole("alert");
  expect(notice).toHaveTextContent("The laboratory was not stopped: use the buttons on the devices");
  expect(screen.getByLabelText("Why")).toHaveValue("the deck is flooded");
  expect(screen.getByRole("button", { name: "Back" })).toBeEnabled();
});

test("a stop whose dialog is gone says in the corner that it failed", async () => {
  const { fail } = server(EVERYWHERE);
  const { rerender } = render(page(true));
  await askedForStop();
  rerender(page(false));
  fail();
  expect(await screen.findByText(/The laboratory was not stopped/)).toBeInTheDocument();
});

test("whoever has the role in some projects only is not offered to stop every robot", async () => {
  server({ project_id: "p1", project: "IFNG", role: "operator" });
  render(page(true));
  expect(await screen.findByText("all is read")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: /Stop all/ })).toBeNull();
});

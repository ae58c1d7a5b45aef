// @vitest-environment jsdom
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { Surroundings } from "../tests/Surroundings.tsx";
import { Comments } from "./Comments.tsx";

afterEach(() => vi.unstubAllGlobals());

const said = { id: "1", actor: "rosa", text: "Keep G1087.", at: "2026-01-05T08:00:00Z" };

function server(answer: (request: Request) => [number, unknown]) {
  const asked = vi.fn(async (request: Request) => {
    const [status, body] = answer(request);
    return new Response(JSON.stringify(body), { status });
  });
  vi.stubGlobal("fetch", asked);
  return asked;
}

test("a server that knows no comments shows no place for them", async () => {
  const asked = server(() => [404, { code: "route.unknown", detail: "There is no such route." }]);
  const { container } = render(<Comments batch="b1" />, { wrapper: Surroundings });
  await waitFor(() => expect(asked).toHaveBeenCalled());
  expect(container.querySelector("section")).toBeNull();
});

test("a comment that was not kept stays in the field, with what the server said", async () => {
  server((request) =>
    request.method === "GET"
      ? [200, { items: [said], next_cursor: null }]
      : [503, { code: "store.unavailable", detail: "Not now. Try again in a moment." }],
  );
  render(<Comments batch="b1" />, { wrapper: Surroundings });
  expect(await screen.findByText("Keep G1087.")).toBeInTheDocument();
  await userEvent.type(screen.getByLabelText("Comment"), "agreed");
  await userEvent.click(screen.getByRole("button", { name: "Comment" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not now. Try again in a moment.");
  expect(screen.getByLabelText("Comment")).toHaveValue("agreed");
});

// @vitest-environment jsdom
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useReducer, useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { batch, draft, proposal } from "../tests/made.ts";
import { Surroundings } from "../tests/Surroundings.tsx";
import { ApproveDialog } from "./ApproveDialog.tsx";
import { approvalFault } from "./BatchReview.tsx";
import { advance, begin, type Review, type Snapshot, type Step } from "./review.ts";

afterEach(() => vi.unstubAllGlobals());

const seen = {
  batch: batch({ revision: 1 }),
  proposals: [proposal("a"), proposal("b"), proposal("c", { status: "runner_up" })],
};
const changed = {
  batch: batch({ revision: 2 }),
  proposals: [proposal("a"), proposal("b", { status: "removed", removed_reason: "toxic" }), proposal("c")],
};

/** The dialog as the page holds it: what is typed lives outside of it. */
function Held({ renewed, next = changed }: { renewed: () => void; next?: Snapshot }) {
  const [review, step] = useReducer((now: Review, taken: Step) => advance(now, taken), begin(seen));
  const [remark, setRemark] = useState("");
  const [opened, setOpened] = useState(true);
  const renew = () => {
    renewed();
    step({ kind: "told", snapshot: next });
  };
  return (
    <ApproveDialog
      review={review}
      opened={opened}
      close={() => setOpened(false)}
      remark={remark}
      setRemark={setRemark}
      look={() => step({ kind: "looked" })}
      lookAtPlan={() => step({ kind: "looked at the plan" })}
      whyNot={approvalFault(review)}
      renew={renew}
    />
  );
}

test("an approval of what somebody changed meanwhile is refused clearly, keeps what was typed, and goes through after a look", async () => {
  const sent: (string | null)[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const revision = request.headers.get("if-match");
    sent.push(revision);
    const [status, body] =
      revision === '"1"'
        ? [
            412,
            { code: "request.revision_outdated", detail: "You saw revision 1; it was changed meanwhile." },
          ]
        : [200, { disposition: "recorded", missing_approvals: 1, batch: changed.batch }];
    return new Response(JSON.stringify(body), { status });
  });
  const user = userEvent.setup();
  const renewed = vi.fn();
  render(<Held renewed={renewed} />, { wrapper: Surroundings });

  await user.type(screen.getByLabelText("Remark"), "good to go");
  await user.click(screen.getByRole("button", { name: "Approve 2 experiments" }));

  const notice = await screen.findByRole("alert");
  expect(notice).toHaveTextContent("Changed meanwhile: 1 removed, 1 added");
  expect(notice).toHaveTextContent("What you typed is kept");
  expect(notice).toHaveTextContent("B in D1 toxic");
  expect(screen.getByLabelText("Remark")).toHaveValue("good to go");
  expect(screen.getByRole("button", { name: "Approve 2 experiments" })).toBeDisabled();
  expect(renewed).toHaveBeenCalledTimes(1);

  await user.click(screen.getByRole("button", { name: "Look at revision 2" }));
  expect(screen.queryByRole("alert")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Approve 2 experiments" }));

  await waitFor(() => expect(sent).toEqual(['"1"', '"2"']));
  await waitFor(() => expect(screen.queryByLabelText("Remark")).toBeNull());
});

/** The stock changed: what is sent about revision 1 is refused, and the dialog shows revision 2. */
async function refusedFor(plan: ReturnType<typeof draft> | null) {
  const sent: (string | null)[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push(request.headers.get("if-match"));
    const refused = { code: "request.revision_outdated", detail: "You saw revision 1; it was changed." };
    const taken = { disposition: "recorded", missing_approvals: 1, batch: seen.batch };
    return sent.length === 1
      ? new Response(JSON.stringify(refused), { status: 412 })
      : new Response(JSON.stringify(taken), { status: 200 });
  });
  const user = userEvent.setup();
  const next = { ...seen, batch: batch({ revision: 2, draft: plan }) };
  render(<Held renewed={() => {}} next={next} />, { wrapper: Surroundings });
  await user.click(screen.getByRole("button", { name: "Approve 2 experiments" }));
  await screen.findByText("Approve revision 2");
  return { user, sent };
}

test("a plan that the stock made another one is approved only after a look at its figures", async () => {
  const { user, sent } = await refusedFor(draft("1", { plates: 6, cost: { amount: 3100, currency: "EUR" } }));
  const notice = screen.getByRole("alert");
  expect(notice).toHaveTextContent("The plan changed: look at the figures");
  expect(notice).toHaveTextContent("Plates: 1 before, 6 now");
  expect(notice).toHaveTextContent("Cost: none before, €3,100.00 now");
  const button = screen.getByRole("button", { name: "Approve 2 experiments" });
  expect(button).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "I have looked at it" }));
  expect(screen.queryByRole("alert")).toBeNull();
  await user.click(button);
  await waitFor(() => expect(sent).toEqual(['"1"', '"2"']));
});

test("nothing is approved while its plan is computed", async () => {
  await refusedFor(null);
  expect(screen.getByRole("button", { name: "Approve 2 experiments" })).toBeDisabled();
});

import { createFileRoute, redirect } from "@tanstack/react-router";
import { problemOf } from "../api/problem.ts";
import { sessionQuery } from "../api/queries.ts";
import { NewPassword } from "../session/NewPassword.tsx";
import { keepSession } from "../session/sign-in.ts";

/** The password that an administrator gave has to be changed before anything else. */
export const Route = createFileRoute("/new-password")({
  validateSearch: (search: Record<string, unknown>): { from?: string } => ({
    from: typeof search.from === "string" ? search.from : undefined,
  }),
  beforeLoad: async ({ context: { queryClient } }) => {
    try {
      keepSession(queryClient, await queryClient.ensureQueryData(sessionQuery));
    } catch (error) {
      if (problemOf(error).status === 401) throw redirect({ to: "/sign-in" });
      throw error;
    }
  },
  component: Page,
});

function Page() {
  return <NewPassword from={Route.useSearch().from} />;
}

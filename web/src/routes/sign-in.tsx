import { createFileRoute, redirect } from "@tanstack/react-router";
import { sessionQuery } from "../api/queries.ts";
import { SignIn } from "../session/SignIn.tsx";
import { safeReturn } from "../session/sign-in.ts";

export const Route = createFileRoute("/sign-in")({
  validateSearch: (search: Record<string, unknown>): { from?: string; refused?: string } => ({
    from: typeof search.from === "string" ? search.from : undefined,
    refused: typeof search.refused === "string" ? search.refused : undefined,
  }),
  beforeLoad: ({ context, search }) => {
    const known = context.queryClient.getQueryData(sessionQuery.queryKey);
    if (known) throw redirect({ href: safeReturn(search.from) });
  },
  component: Page,
});

function Page() {
  const { from, refused } = Route.useSearch();
  return <SignIn from={from} refused={refused} />;
}

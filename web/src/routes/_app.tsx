import { Container } from "@mantine/core";
import { createFileRoute, Outlet, redirect, useRouter } from "@tanstack/react-router";
import { problemOf } from "../api/problem.ts";
import { sessionQuery } from "../api/queries.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { LiveProvider } from "../live/LiveProvider.tsx";
import { keepSession } from "../session/sign-in.ts";
import { AppFrame } from "../shell/AppFrame.tsx";

/** Everything for which one has to be signed in. */
export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context: { queryClient }, location }) => {
    try {
      const session = await queryClient.ensureQueryData(sessionQuery);
      keepSession(queryClient, session);
      if (session.must_change_password && location.pathname !== "/new-password") {
        throw redirect({ to: "/new-password", search: { from: location.href } });
      }
    } catch (error) {
      if (problemOf(error).status === 401)
        throw redirect({ to: "/sign-in", search: { from: location.href } });
      throw error;
    }
  },
  component: Frame,
  errorComponent: ({ error }) => <Unreachable error={error} />,
});

function Unreachable({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <Container size="sm" py="xl">
      <ProblemNotice what="Loopwright does not answer" error={error} again={() => void router.invalidate()} />
    </Container>
  );
}

function Frame() {
  return (
    <LiveProvider>
      <AppFrame>
        <Outlet />
      </AppFrame>
    </LiveProvider>
  );
}

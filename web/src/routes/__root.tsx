import { Button, Container } from "@mantine/core";
import { IconMapQuestion } from "@tabler/icons-react";
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, Link, Outlet, useRouter } from "@tanstack/react-router";
import { Nothing } from "../display/Nothing.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";

export const Route = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: () => (
    <Nothing
      alone
      icon={IconMapQuestion}
      title="There is no such page"
      action={
        <Button component={Link} to="/" variant="default">
          To the start
        </Button>
      }
    >
      The address may be mistyped, or lead to a part that this version does not have.
    </Nothing>
  ),
  errorComponent: ({ error }) => <Broken error={error} />,
});

function Broken({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <Container size="sm" py="xl">
      <ProblemNotice what="This page cannot be shown" error={error} again={() => void router.invalidate()} />
    </Container>
  );
}

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { makeQueryClient } from "../app/query-client.ts";
import { theme } from "../app/theme.ts";

/** What every component of the app stands in. */
export function Surroundings({ children }: { children: ReactNode }) {
  return (
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={makeQueryClient()}>{children}</QueryClientProvider>
    </MantineProvider>
  );
}

import "./app/mantine.css";
import "@mantine/notifications/styles.css";
import "./app/theme.css";

import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "./app/query-client.ts";
import { makeRouter } from "./app/router.ts";
import { theme } from "./app/theme.ts";
import { goToSignIn } from "./session/sign-in.ts";

const queryClient = makeQueryClient();
const router = makeRouter(queryClient);
goToSignIn(router, queryClient);

const colorSchemes = localStorageColorSchemeManager({ key: "loopwright-color-scheme" });
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemes}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

import { QueryClient } from "@tanstack/react-query";
import { isTransient } from "../api/problem.ts";

/** A server that starts again is away for seconds: reads wait for it, and the page keeps what it shows. */
const READ_AGAIN = 6;

export const makeQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (failures, error) => failures < READ_AGAIN && isTransient(error),
        retryDelay: (attempt) => Math.min(4_000, 300 * 2 ** attempt),
      },
      // A command goes once; whoever gave it decides whether to repeat it.
      mutations: { retry: false },
    },
  });

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemNotice } from "./ProblemNotice.tsx";

/** What a read failed with, where there is nothing older to show; else the children. */
export function FailedOr({
  read,
  what,
  children,
}: {
  read: UseQueryResult;
  what: string;
  children: ReactNode;
}) {
  if (read.error && read.data === undefined) {
    return (
      <div style={{ padding: "var(--mantine-spacing-md)" }}>
        <ProblemNotice what={what} error={read.error} again={() => void read.refetch()} />
      </div>
    );
  }
  return <>{children}</>;
}

import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { problemOf } from "../api/problem.ts";

type Props = {
  error: unknown;
  /** What was wanted, in a few words: "The batch was not approved". */
  what?: string;
  again?: () => void;
  children?: ReactNode;
};

/** An error as the server tells it: what happened, what to do, and the code to look up. */
export function ProblemNotice({ error, what, again, children }: Props) {
  const { detail, code, errors } = problemOf(error);
  return (
    <Alert
      role="alert"
      variant="light"
      color="red"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={what}
      styles={{ body: { minWidth: 0 } }}
    >
      <Text size="sm">{detail}</Text>
      {errors?.map((it) => (
        <Text key={`${it.line}:${it.column}:${it.path}`} size="sm" mt={4}>
          <span className="lw-mono">
            {it.line}:{it.column} {it.path}
          </span>{" "}
          {it.reason}
        </Text>
      ))}
      {children}
      <Group mt={6} gap="sm">
        <Text size="xs" c="dimmed" className="lw-mono">
          {code}
        </Text>
        {again ? (
          <Button size="compact-xs" variant="default" onClick={again}>
            Try again
          </Button>
        ) : null}
      </Group>
    </Alert>
  );
}

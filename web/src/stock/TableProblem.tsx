import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { hasCode, problemOf } from "../api/problem.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import classes from "./TableField.module.css";
import { lineOf } from "./tables.ts";

type Props = { error: unknown; what: string; csv: string };

/** Why a table was refused, with the line that it is about as it was sent. */
export function TableProblem({ error, what, csv }: Props) {
  const { errors } = problemOf(error);
  if (!hasCode(error, "inventory.invalid_table") || !errors?.length) {
    return <ProblemNotice what={what} error={error} />;
  }
  return (
    <Alert
      role="alert"
      variant="light"
      color="red"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={what}
      styles={{ body: { minWidth: 0 } }}
    >
      {errors.map(({ line, reason }) => {
        const text = lineOf(csv, line);
        return (
          <div key={`${line} ${reason}`}>
            <Text size="sm">
              Line {line}: {reason}.
            </Text>
            {text === undefined ? null : (
              <pre className={classes.line}>
                <span className={classes.number}>{line} </span>
                {text}
              </pre>
            )}
          </div>
        );
      })}
    </Alert>
  );
}

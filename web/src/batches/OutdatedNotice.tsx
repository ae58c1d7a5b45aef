import { Alert, Button, Group, Text } from "@mantine/core";
import { IconGitCompare } from "@tabler/icons-react";
import classes from "./OutdatedNotice.module.css";
import { changeSummary, changes, type Review } from "./review.ts";

const SHOWN = 6;

/** Others changed the batch: what, and a button to look. Nothing typed is lost by it. */
export function OutdatedNotice({
  review,
  look,
  refused,
}: {
  review: Review;
  look: () => void;
  refused?: boolean;
}) {
  const list = changes(review);
  return (
    <Alert
      role="alert"
      color="yellow"
      variant="light"
      icon={<IconGitCompare size={18} aria-hidden />}
      title={`Changed meanwhile: ${changeSummary(review)}`}
      className={classes.notice}
    >
      <Text size="sm">
        {refused
          ? "Nothing was sent: you saw an earlier revision. What you typed is kept. Look at the changes, then send it again."
          : "You still see the batch as you opened it. Look at the changes before you decide: only what you have seen can be approved."}
      </Text>
      {list.length > 0 ? (
        <ul className={classes.list}>
          {list.slice(0, SHOWN).map((change) => (
            <li key={change.id}>
              <span aria-hidden className={classes.sign}>
                {change.what === "added" ? "+" : "−"}
              </span>
              <span className="lw-hidden">{change.what}</span>
              <strong>{change.name}</strong>
              {change.reason ? <span className={classes.reason}> {change.reason}</span> : null}
            </li>
          ))}
          {list.length > SHOWN ? <li>and {list.length - SHOWN} more</li> : null}
        </ul>
      ) : null}
      <Group mt={8}>
        <Button size="compact-sm" color="yellow" variant="outline" onClick={look}>
          Look at revision {review.latest.batch.revision}
        </Button>
      </Group>
    </Alert>
  );
}

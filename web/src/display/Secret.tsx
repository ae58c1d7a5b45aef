import { Button, CopyButton, Group } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import classes from "./Secret.module.css";

/** A secret that is shown once: whole, selectable, and copied with one click. */
export function Secret({ text, what }: { text: string; what: string }) {
  return (
    <Group gap="sm" wrap="nowrap" align="stretch">
      <code className={classes.text}>{text}</code>
      <CopyButton value={text} timeout={3000}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            onClick={copy}
            leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
            aria-label={`Copy the ${what}`}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </Group>
  );
}

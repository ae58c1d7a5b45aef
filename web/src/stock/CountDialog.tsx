import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "../display/Dialog.tsx";
import { TableField, tableFault } from "./TableField.tsx";
import { TableProblem } from "./TableProblem.tsx";
import { useCount } from "./useCount.ts";

/** Sets what the books say of source wells to what was found, from a table. */
export function CountDialog({ close }: { close: () => void }) {
  const [csv, give] = useState("");
  const [reason, setReason] = useState("");
  const counting = useCount(close);
  const isReady = tableFault("volumes", csv) === null && reason.trim() !== "";
  return (
    <Dialog
      pending={counting.isPending}
      opened
      onClose={close}
      title="Count wells"
      size="lg"
      closeOnClickOutside={csv === ""}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !counting.isPending) counting.mutate({ csv, reason: reason.trim() });
        }}
      >
        <Stack>
          {counting.error ? (
            <TableProblem
              error={counting.error}
              what="Nothing was changed"
              csv={counting.variables?.csv ?? csv}
            />
          ) : null}
          <Text size="sm">
            The books say from now on what was found, in nanolitres. The plates stand in storage, and no well
            is set below what is reserved in it.
          </Text>
          <TableField kind="volumes" csv={csv} give={give} />
          <Textarea
            label="Why"
            description="It goes into the record: weighed, looked at, refilled."
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" disabled={counting.isPending} onClick={close}>
              Back
            </Button>
            <Button type="submit" loading={counting.isPending} disabled={!isReady}>
              Set these volumes
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

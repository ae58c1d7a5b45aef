import { Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Dialog } from "./Dialog.tsx";
import { ProblemNotice } from "./ProblemNotice.tsx";

type Props = {
  title: string;
  /** What it will do. */
  children: ReactNode;
  /** What the button says. */
  button: string;
  danger?: boolean;
  /** Whether it may be left empty. */
  optional?: boolean;
  /** One line that Enter sends, where seconds count. */
  fast?: boolean;
  /** For fingers at the bench. */
  large?: boolean;
  act: (reason: string) => void;
  pending: boolean;
  error: unknown;
  /** In a few words: "Nothing was changed". */
  failed: string;
  close: () => void;
};

/** Asks once more, and why, before something is done. */
export function AskReason(props: Props) {
  const { title, children, button, danger, optional, fast, large, act, pending, error, failed, close } =
    props;
  const [reason, setReason] = useState("");
  const size = large ? "lg" : "sm";
  const ready = Boolean(optional || reason.trim());
  const field = {
    label: "Why",
    description: optional ? "Optional; it goes into the record." : "It goes into the record.",
    value: reason,
    size,
    "data-autofocus": true,
  };
  return (
    <Dialog opened onClose={close} pending={pending} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !pending) act(reason.trim());
        }}
      >
        <Stack>
          {error ? <ProblemNotice what={failed} error={error} /> : null}
          {children}
          {fast ? (
            <TextInput {...field} onChange={(event) => setReason(event.currentTarget.value)} />
          ) : (
            <Textarea
              {...field}
              autosize
              minRows={2}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          )}
          <Group justify="flex-end">
            <Button size={size} variant="default" disabled={pending} onClick={close}>
              Back
            </Button>
            <Button
              size={size}
              type="submit"
              color={danger ? "red" : undefined}
              loading={pending}
              disabled={!ready}
            >
              {button}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

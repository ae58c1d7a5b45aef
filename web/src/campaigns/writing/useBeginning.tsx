import { Button, Group, Modal, Text } from "@mantine/core";
import { type ReactNode, useCallback, useState } from "react";
import { sayProblem } from "../../display/said.ts";
import { type Beginning, begin, type Draft, isUnsaved } from "./draft.ts";
import { sizeWords } from "./files.ts";
import { plainLines } from "./lines.ts";
import type { Change } from "./useDraft.ts";

/** The server reads no longer one. */
const MOST_BYTES = 1024 * 1024;

/** Begins with another text: at once where nothing would be lost, else after a `question`. Calls `before` when it does. */
export function useBeginning(draft: Draft, change: Change, before: () => void) {
  const [asked, setAsked] = useState<Beginning | null>(null);
  const [times, setTimes] = useState(0);
  const unsaved = isUnsaved(draft);
  const take = useCallback(
    (beginning: Beginning) => {
      before();
      change((old) => begin(old, { ...beginning, toml: plainLines(beginning.toml) }));
      setAsked(null);
      setTimes((n) => n + 1);
    },
    [before, change],
  );
  const beginWith = useCallback(
    (beginning: Beginning) => (unsaved ? setAsked(beginning) : take(beginning)),
    [unsaved, take],
  );
  const open = useCallback(
    async (file: File) => {
      if (file.size > MOST_BYTES) {
        const reason = `${file.name} has ${sizeWords(file.size)}: that is no campaign file.`;
        return sayProblem("The file was not opened", new Error(reason));
      }
      try {
        beginWith({ toml: await file.text(), title: file.name });
      } catch (error) {
        sayProblem(`${file.name} cannot be read`, error);
      }
    },
    [beginWith],
  );
  const question: ReactNode = asked ? (
    <Modal opened onClose={() => setAsked(null)} title="Replace what is written here?">
      <Text size="sm">The text on this page is kept nowhere else.</Text>
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={() => setAsked(null)}>
          Back
        </Button>
        <Button color="red" data-autofocus onClick={() => take(asked)}>
          Replace it
        </Button>
      </Group>
    </Modal>
  ) : null;
  return {
    beginWith,
    open,
    question,
    /** How often it did. */
    times,
  };
}

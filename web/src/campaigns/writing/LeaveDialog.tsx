import { Button, Group, Modal, Text } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";

type Props = {
  /** Asked at the moment of leaving. */
  isUnsaved: () => boolean;
  forget: () => void;
};

/** Asks before the page is left with a text that is nowhere else. A session that ends does not wait for an answer. */
export function LeaveDialog({ isUnsaved, forget }: Props) {
  const leaving = useBlocker({
    shouldBlockFn: ({ next }) => isUnsaved() && next.pathname !== "/sign-in",
    enableBeforeUnload: isUnsaved,
    withResolver: true,
  });
  if (leaving.status !== "blocked") return null;
  return (
    <Modal opened onClose={leaving.reset} title="The campaign was not created" size="lg">
      <Text size="sm">
        Its text can stay in this tab until the tab is closed: “New campaign” leads back to it. Files that are
        on their way are given up.
      </Text>
      <Group justify="flex-end" mt="md">
        <Button
          variant="subtle"
          color="red"
          onClick={() => {
            forget();
            leaving.proceed();
          }}
        >
          Throw it away
        </Button>
        <Button variant="default" onClick={leaving.proceed}>
          Leave, and keep it
        </Button>
        <Button data-autofocus onClick={leaving.reset}>
          Stay
        </Button>
      </Group>
    </Modal>
  );
}

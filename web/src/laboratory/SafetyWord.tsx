import { Text } from "@mantine/core";

/** What software cannot promise. */
export function SafetyWord() {
  return (
    <Text size="sm" fw={560} c="var(--lw-warn)">
      In danger, press the button on the device itself: that one is the safety function, this one is not.
    </Text>
  );
}

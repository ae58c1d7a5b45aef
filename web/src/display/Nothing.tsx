import { Stack, Text } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";

type Props = {
  icon: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** It is all there is on the page. */
  alone?: boolean;
};

/** An empty place: what will appear here, and what brings it about. */
export function Nothing({ icon: Sign, title, children, action, alone = false }: Props) {
  return (
    <Stack align="center" gap={6} py="xl" px="md" ta="center">
      <Sign size={28} stroke={1.4} color="var(--lw-ink-faint)" aria-hidden />
      <Text fw={560} component={alone ? "h1" : "p"} m={0}>
        {title}
      </Text>
      {children ? (
        <Text size="sm" c="dimmed" maw={460}>
          {children}
        </Text>
      ) : null}
      {action}
    </Stack>
  );
}

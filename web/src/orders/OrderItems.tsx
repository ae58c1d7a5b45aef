import { Menu, Text } from "@mantine/core";
import type { Order, SubjectKind } from "./types.ts";
import { WORDS } from "./words.ts";

type Props = { kind: SubjectKind; name: string; orders: Order[]; ask: (order: Order) => void };

/** Orders in a menu, each with what it does. */
export function OrderItems({ kind, name, orders, ask }: Props) {
  return orders.map((order) => {
    const words = WORDS[kind][order];
    return (
      <Menu.Item
        key={order}
        onClick={() => ask(order)}
        aria-label={`${words.verb} ${name}…`}
        {...(words.danger ? { color: "red" } : {})}
      >
        {words.verb} {name}…
        <Text size="xs" c="dimmed" maw={330} style={{ whiteSpace: "normal" }}>
          {words.does}
        </Text>
      </Menu.Item>
    );
  });
}

import { Button, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useState } from "react";
import { OrderDialog, type Subject } from "./OrderDialog.tsx";
import { OrderItems } from "./OrderItems.tsx";
import type { Hold, Order } from "./types.ts";
import { useOrders } from "./useOrders.ts";
import { WORDS } from "./words.ts";

type Props = { subject: Subject; state: string; hold?: Hold | null; small?: boolean };

/** What can be ordered of one thing: the nearest as a button, all of them, with what they do, in a menu. */
export function Orders({ subject, state, hold = null, small = false }: Props) {
  const orders = useOrders(subject.kind, state, hold);
  const [asked, setAsked] = useState<Order | null>(null);
  const [first] = orders;
  const size = small ? "compact-xs" : "sm";
  return (
    <>
      {first ? (
        <Button size={size} variant="default" onClick={() => setAsked(first)}>
          {WORDS[subject.kind][first].verb}…
        </Button>
      ) : null}
      {orders.length > 1 ? (
        <Menu position="bottom-end" width={360}>
          <Menu.Target>
            <Button
              size={size}
              variant="default"
              px={small ? 6 : "xs"}
              aria-label={`More orders for ${subject.name}`}
            >
              <IconDots size={small ? 14 : 16} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <OrderItems kind={subject.kind} name={subject.name} orders={orders} ask={setAsked} />
          </Menu.Dropdown>
        </Menu>
      ) : null}
      {asked ? <OrderDialog subject={subject} order={asked} close={() => setAsked(null)} /> : null}
    </>
  );
}

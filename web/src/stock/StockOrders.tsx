import { Button, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { StockPlateShown } from "../api/types.ts";
import { AskReason } from "../display/AskReason.tsx";
import { say } from "../display/said.ts";
import { useSayIfGone } from "../display/useSayIfGone.ts";
import { useMayEverywhere } from "../session/may.ts";
import { ORDER_WORDS, ordersFor } from "./orders.ts";
import { renewStock, type StockOrder, sendStockOrder } from "./send.ts";

/** What this person can do with a plate of the stock, each asked once more with a reason. */
export function StockOrders({ plate }: { plate: StockPlateShown }) {
  const may = useMayEverywhere("inventory:write");
  const [asked, setAsked] = useState<StockOrder | null>(null);
  if (!may) return null;
  return (
    <>
      {ordersFor(plate).map((order) => (
        <Button key={order} variant="default" onClick={() => setAsked(order)}>
          {ORDER_WORDS[order].verb}…
        </Button>
      ))}
      {asked ? <Ask plate={plate} order={asked} close={() => setAsked(null)} /> : null}
    </>
  );
}

function Ask({ plate, order, close }: { plate: StockPlateShown; order: StockOrder; close: () => void }) {
  const words = ORDER_WORDS[order];
  const failed = `Nothing was changed on ${plate.barcode}`;
  const client = useQueryClient();
  const ordering = useMutation({
    mutationFn: (reason: string) => sendStockOrder(plate.barcode, order, reason),
    onSuccess: async (after) => {
      say(words.done);
      close();
      await renewStock(client, after);
    },
    onError: useSayIfGone(failed),
  });
  return (
    <AskReason
      title={`${words.verb}: ${plate.barcode}`}
      button={words.button}
      danger={words.danger ?? false}
      act={ordering.mutate}
      pending={ordering.isPending}
      error={ordering.error}
      failed={failed}
      close={close}
    >
      <Text size="sm">{words.does}</Text>
    </AskReason>
  );
}

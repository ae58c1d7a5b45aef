import { Button, Menu } from "@mantine/core";
import { IconDots, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import type { CampaignProgress } from "../api/types.ts";
import { OrderDialog, type Subject } from "../orders/OrderDialog.tsx";
import { OrderItems } from "../orders/OrderItems.tsx";
import type { Order } from "../orders/types.ts";
import { useOrders } from "../orders/useOrders.ts";
import { WORDS } from "../orders/words.ts";
import { useMay } from "../session/may.ts";
import { StartRound } from "./StartRound.tsx";
import { isLive } from "./stages.ts";

type Asked = "start" | { subject: Subject; order: Order };

/** Start a round, and pause, drain, resume, end the campaign: each asked once more, with a reason. */
export function CampaignCommands({ progress }: { progress: CampaignProgress }) {
  const may = useMay("campaign:write");
  const [asked, setAsked] = useState<Asked | null>(null);
  const orders = useOrders("campaign", progress.state);
  const runs = progress.rounds.some(isLive);
  const ended = progress.state === "finished" || progress.state === "cancelled";
  if (!may || ended) return null;
  const campaign: Subject = { kind: "campaign", id: progress.campaign_id, name: progress.name };
  const [first] = orders;
  return (
    <>
      {runs ? null : (
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={15} />}
          onClick={() => setAsked("start")}
        >
          Start a round now…
        </Button>
      )}
      {first ? (
        <Button
          variant="default"
          leftSection={first === "resume" ? <IconPlayerPlay size={15} /> : <IconPlayerPause size={15} />}
          onClick={() => setAsked({ subject: campaign, order: first })}
        >
          {WORDS.campaign[first].verb}…
        </Button>
      ) : null}
      <Menu position="bottom-end" width={360}>
        <Menu.Target>
          <Button variant="default" px="xs" aria-label="More">
            <IconDots size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <OrderItems
            kind="campaign"
            name={campaign.name}
            orders={orders}
            ask={(order) => setAsked({ subject: campaign, order })}
          />
          {runs ? <Menu.Item onClick={() => setAsked("start")}>Start another round now…</Menu.Item> : null}
        </Menu.Dropdown>
      </Menu>
      {asked === "start" ? (
        <StartRound campaign={progress.campaign_id} close={() => setAsked(null)} />
      ) : asked ? (
        <OrderDialog {...asked} close={() => setAsked(null)} />
      ) : null}
    </>
  );
}

import { Button, Menu } from "@mantine/core";
import { IconDots, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import type { CampaignProgress } from "../api/types.ts";
import { OrderDialog, type Subject } from "../orders/OrderDialog.tsx";
import { OrderItems } from "../orders/OrderItems.tsx";
import type { Hold, Order } from "../orders/types.ts";
import { useOrders } from "../orders/useOrders.ts";
import { WORDS } from "../orders/words.ts";
import { useMay } from "../session/may.ts";
import { StartRound } from "./StartRound.tsx";

type Props = { progress: CampaignProgress; roundHold: Hold | null };
type Asked = "start" | { subject: Subject; order: Order };

/** Pause, drain, resume, end, of the campaign and of its live round: each asked once more, with a reason. */
export function CampaignCommands({ progress, roundHold }: Props) {
  const may = useMay("campaign:write");
  const [asked, setAsked] = useState<Asked | null>(null);
  const round = progress.rounds.at(-1);
  const ofCampaign = useOrders("campaign", progress.state);
  const ofRound = useOrders("round", round?.state ?? "closed", roundHold);
  const isLive = round !== undefined && !["closed", "cancelled", "failed"].includes(round.state);
  const ended = progress.state === "finished" || progress.state === "cancelled";
  if (!may || ended) return null;
  const campaign: Subject = { kind: "campaign", id: progress.campaign_id, name: "the campaign" };
  const live: Subject = {
    kind: "round",
    id: round?.round_id ?? "",
    name: `round ${round?.number ?? ""}`,
  };
  const [first] = ofCampaign;
  const resumes = ofRound[0] === "resume" || roundHold !== null;
  return (
    <>
      {isLive ? null : (
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={15} />}
          onClick={() => setAsked("start")}
        >
          Start a round now…
        </Button>
      )}
      {resumes ? (
        <Button
          leftSection={<IconPlayerPlay size={15} />}
          onClick={() => setAsked({ subject: live, order: "resume" })}
        >
          Resume {live.name}…
        </Button>
      ) : null}
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
          {ofRound.length > 0 ? (
            <>
              <Menu.Label>Round {round?.number}</Menu.Label>
              <OrderItems
                kind="round"
                name={live.name}
                orders={ofRound}
                ask={(order) => setAsked({ subject: live, order })}
              />
            </>
          ) : null}
          <Menu.Label>Campaign</Menu.Label>
          <OrderItems
            kind="campaign"
            name={campaign.name}
            orders={ofCampaign}
            ask={(order) => setAsked({ subject: campaign, order })}
          />
          {isLive ? <Menu.Item onClick={() => setAsked("start")}>Start another round now…</Menu.Item> : null}
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

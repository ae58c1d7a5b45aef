import { createFileRoute } from "@tanstack/react-router";
import { WriteCampaign } from "../../../campaigns/writing/WriteCampaign.tsx";

export const Route = createFileRoute("/_app/campaigns/new")({ component: WriteCampaign });

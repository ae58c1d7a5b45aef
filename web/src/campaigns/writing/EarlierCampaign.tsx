import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { campaignQuery, campaignsQuery } from "../../api/queries.ts";
import { shortMoment } from "../../display/format.ts";
import { ProblemNotice } from "../../display/ProblemNotice.tsx";
import type { Beginning } from "./draft.ts";
import { filesOf } from "./files.ts";

type Props = { beginWith: (beginning: Beginning) => void; close: () => void };

/** Begins with the text of a campaign that was created before, and with those of its files that the server kept. */
export function EarlierCampaign({ beginWith, close }: Props) {
  const client = useQueryClient();
  const campaigns = useQuery(campaignsQuery);
  const [id, setId] = useState<string | null>(null);
  const taking = useMutation({
    mutationFn: (campaign: string) => client.fetchQuery(campaignQuery(campaign)),
    onSuccess: (campaign) => {
      close();
      beginWith({
        toml: campaign.toml,
        projectId: campaign.project_id,
        earlier: { campaign: campaign.name, files: filesOf(campaign) },
      });
    },
  });
  const newest = [...(campaigns.data?.items ?? [])].reverse();
  const error = taking.error ?? (campaigns.data ? null : campaigns.error);
  return (
    <Modal opened onClose={close} title="Start from an earlier campaign">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (id) taking.mutate(id);
        }}
      >
        <Stack gap="sm">
          {error ? <ProblemNotice what="It cannot be read" error={error} /> : null}
          <Select
            label="Campaign"
            placeholder={campaigns.data && newest.length === 0 ? "there is none yet" : "by its name"}
            searchable
            nothingFoundMessage="No campaign is called so"
            limit={50}
            data-autofocus
            data={newest.map((it) => ({
              value: it.id,
              label: `${it.name} · ${shortMoment(new Date(it.created_at))}`,
            }))}
            value={id}
            onChange={setId}
          />
          <Text size="sm" c="dimmed">
            Its features and priors are kept and need not be sent again; its genes file is asked for once
            more. It needs a name of its own.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Back
            </Button>
            <Button type="submit" disabled={!id} loading={taking.isPending}>
              Start from it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

import { Button, Menu, Text } from "@mantine/core";
import { IconChevronDown, IconDownload } from "@tabler/icons-react";
import type { Campaign } from "../api/types.ts";

const KINDS = [
  {
    ending: "results.csv",
    kept: "csv",
    name: "Rows as CSV",
    about: "Each value with its prediction, plate and checkpoint",
  },
  {
    ending: "results.parquet",
    kept: "parquet",
    name: "Rows as Parquet",
    about: "The same, for programs",
  },
  {
    ending: "crate.zip",
    kept: "crate.zip",
    name: "Everything, as an RO-Crate",
    about: "To keep, publish and cite: plate maps, readings, raw files, approvals and models too",
  },
] as const;

/** What came out of a campaign, to take away. */
export function ResultsMenu({ campaign }: { campaign: Campaign }) {
  return (
    <Menu position="bottom-end" width={320}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={15} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          Results
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {KINDS.map((kind) => (
          <Menu.Item
            key={kind.ending}
            component="a"
            href={`/api/v1/campaigns/${campaign.id}/${kind.ending}`}
            download={`${campaign.name}.${kind.kept}`}
          >
            {kind.name}
            <Text size="xs" c="dimmed">
              {kind.about}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

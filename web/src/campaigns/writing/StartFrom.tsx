import { Button, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconFileUpload } from "@tabler/icons-react";
import { ChooseFiles } from "../../display/ChooseFiles.tsx";
import type { Beginning } from "./draft.ts";
import { EarlierCampaign } from "./EarlierCampaign.tsx";
import { EXAMPLE } from "./example.ts";

type Props = { beginWith: (beginning: Beginning) => void; open: (file: File) => void };

/** What a campaign may begin with, in place of an empty page. */
export function StartFrom({ beginWith, open }: Props) {
  const [asked, { open: ask, close }] = useDisclosure();
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button size="compact-sm" variant="default" rightSection={<IconChevronDown size={14} />}>
            Start from
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => beginWith({ toml: EXAMPLE })}>The example, with comments</Menu.Item>
          <Menu.Item onClick={ask}>An earlier campaign…</Menu.Item>
          <Menu.Item onClick={() => beginWith({ toml: "" })}>An empty page</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ChooseFiles
        accept=".toml"
        choose={([file]) => file && open(file)}
        size="compact-sm"
        leftSection={<IconFileUpload size={15} aria-hidden />}
      >
        Open a file…
      </ChooseFiles>
      {asked ? <EarlierCampaign beginWith={beginWith} close={close} /> : null}
    </>
  );
}

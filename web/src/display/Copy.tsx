import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { shortId } from "./format.ts";

/** An id, short, with the whole of it on hover and to copy. */
export function Id({ id }: { id: string }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 2 }}>
      <Tooltip label={id}>
        <span className="lw-mono">{shortId(id)}</span>
      </Tooltip>
      <Copy text={id} what="id" />
    </span>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
          <ActionIcon size={24} my={-4} onClick={copy} aria-label={copied ? "Copied" : `Copy ${what}`}>
            {copied ? <IconCheck size={13} /> : <IconCopy size={13} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

import { ActionIcon, Alert, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { ChooseFiles } from "../../display/ChooseFiles.tsx";
import { Panel } from "../../display/Panel.tsx";
import { FileRow } from "./FileRow.tsx";
import classes from "./FilesPanel.module.css";
import type { Row } from "./files.ts";
import { canDigest } from "./sending.ts";

type Props = {
  rows: readonly Row[];
  strangers: readonly File[];
  /** Why a prior may not do as it is. */
  priorWarning: string | null;
  /** The rows are of an earlier text. */
  isStale: boolean;
  isEarlier: boolean;
  give: (name: string, file: File) => void;
  again: (name: string) => void;
  offer: (files: readonly File[]) => void;
  putAway: (file: File) => void;
};

/** The files that the campaign names, and where each of them is. */
export function FilesPanel(props: Props) {
  const { rows, strangers, priorWarning, isStale, isEarlier, give, again, offer, putAway } = props;
  const canSend = canDigest();
  const lacksGenes = rows.some((it) => it.state === "missing" && it.fields.includes("design.genes_file"));
  return (
    <Panel
      title="Its files"
      note={isStale && rows.length > 0 ? "as the last right text names them" : null}
      actions={
        <ChooseFiles multiple choose={offer} size="compact-sm" disabled={!canSend}>
          Choose files…
        </ChooseFiles>
      }
    >
      {canSend ? null : <NoDigest />}
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          They are named here once the text is right. They can be dropped on the page at any time, all at
          once: each is known by its name.
        </Text>
      ) : (
        <ul className={classes.list} aria-label="Files of the campaign">
          {rows.map((row) => (
            <FileRow
              key={row.name}
              row={row}
              canSend={canSend}
              choose={(file) => give(row.name, file)}
              again={() => again(row.name)}
            />
          ))}
        </ul>
      )}
      {isEarlier && lacksGenes ? (
        <Text size="xs" c="dimmed" mt={6}>
          Of an earlier campaign&apos;s genes only the design space is kept: give the file once more.
        </Text>
      ) : null}
      {priorWarning ? (
        <Alert variant="light" color="yellow" mt="sm" title="A prior may need more columns">
          {priorWarning}
        </Alert>
      ) : null}
      {strangers.length > 0 ? (
        <div className={classes.strangers}>
          {rows.length === 0 ? "Wait until the text is right:" : "The campaign names no file like these:"}
          {strangers.map((file) => (
            <div key={file.name} className={classes.stranger}>
              <span>{file.name}</span>
              <ActionIcon size={22} aria-label={`Put ${file.name} away`} onClick={() => putAway(file)}>
                <IconX size={13} />
              </ActionIcon>
            </div>
          ))}
        </div>
      ) : null}
    </Panel>
  );
}

function NoDigest() {
  return (
    <Alert variant="light" color="yellow" mb="sm" title="Files cannot be sent from this page">
      It came over plain http, and browsers compute no digests there. Open Loopwright under its https address
      (or, on the server itself, under localhost), or use the command line:{" "}
      <code className="lw-mono">loopwright campaign create -f campaign.toml</code>
    </Alert>
  );
}

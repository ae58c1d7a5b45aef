import { ActionIcon, Group, Stack, Text, Textarea } from "@mantine/core";
import { IconFileTypeCsv, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { ChooseFiles } from "../display/ChooseFiles.tsx";
import { plural } from "../display/format.ts";
import classes from "./TableField.module.css";
import { asCsv, headFault, headOf, rowsIn, SHAPES, type TableKind } from "./tables.ts";

type Props = { kind: TableKind; csv: string; give: (csv: string) => void };

/** A table from a file or from the clipboard, with what it has to look like. */
export function TableField({ kind, csv, give }: Props) {
  const [file, setFile] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const shape = SHAPES[kind];
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    const text = await chosen.text();
    setFile(chosen.name);
    give(asCsv(text));
  };
  const putAway = () => {
    setFile(null);
    give(asCsv(typed));
  };
  return (
    <Stack gap="xs">
      <div>
        <Text size="sm" c="dimmed">
          {shape.about} The first line names the columns, like this:
        </Text>
        <pre className={classes.example}>
          <strong>{headOf(shape)}</strong>
          {`\n${shape.example}`}
        </pre>
      </div>
      {file === null ? (
        <Textarea
          label="The table"
          description="Paste it here, from a file or straight from a spreadsheet, or choose a file."
          classNames={{ input: classes.text }}
          rows={6}
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            give(asCsv(event.currentTarget.value));
          }}
        />
      ) : (
        <div className={classes.file}>
          <IconFileTypeCsv size={18} aria-hidden />
          <span className={classes.name}>{file}</span>
          <ActionIcon size={24} aria-label={`Put ${file} away`} onClick={putAway}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      )}
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <ChooseFiles
          size="xs"
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          choose={([chosen]) => void take(chosen)}
        >
          {file === null ? "Choose a file…" : "Another file…"}
        </ChooseFiles>
        <Text size="sm" role="status" ta="right" c={tableFault(kind, csv) ? "var(--lw-bad)" : "dimmed"}>
          {csv.trim() === "" ? "" : (tableFault(kind, csv) ?? plural(rowsIn(csv), "line"))}
        </Text>
      </Group>
    </Stack>
  );
}

/** Why the table need not be sent; `null`: the server says. */
export function tableFault(kind: TableKind, csv: string): string | null {
  if (csv.trim() === "") return "There is no table yet.";
  return headFault(kind, csv) ?? (rowsIn(csv) === 0 ? "Below the first line is nothing." : null);
}

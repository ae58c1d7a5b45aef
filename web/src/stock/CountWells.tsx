import { Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import type { StockPlateShown, StockWell } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { plural } from "../display/format.ts";
import classes from "./CountWells.module.css";
import { TableProblem } from "./TableProblem.tsx";
import { foundCsv } from "./tables.ts";
import { useCount } from "./useCount.ts";
import { microlitres, parseFound } from "./volumes.ts";

type Props = {
  plate: StockPlateShown;
  wells: readonly StockWell[];
  close: () => void;
  /** Told when it is done. */
  counted: () => void;
};

/** What was found in a few wells, in microlitres. A well left open stays as the books say. */
export function CountWells({ plate, wells, close, counted }: Props) {
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [reason, setReason] = useState("");
  const counting = useCount(() => {
    close();
    counted();
  });
  const said = wells
    .filter((it) => typed[it.well]?.trim())
    .map((it) => ({ well: it.well, ...parseFound(typed[it.well] ?? "", it, plate.capacity_nl) }));
  const faults = new Map(said.flatMap((it) => (it.fault ? [[it.well, it.fault] as const] : [])));
  const found = said.flatMap((it) => (it.nl === undefined ? [] : [{ well: it.well, nl: it.nl }]));
  const isReady = found.length > 0 && faults.size === 0 && reason.trim() !== "";
  return (
    <Dialog
      pending={counting.isPending}
      opened
      onClose={close}
      title={<span className={classes.title}>Count wells of {plate.barcode}</span>}
      size="lg"
      closeOnClickOutside={said.length === 0}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isReady || counting.isPending) return;
          counting.mutate({ csv: foundCsv(plate.barcode, found), reason: reason.trim() });
        }}
      >
        <Stack>
          {counting.error ? (
            <TableProblem
              error={counting.error}
              what="Nothing was changed"
              csv={counting.variables?.csv ?? ""}
            />
          ) : null}
          <Text size="sm">
            Write what you found, in microlitres. A well that you leave open stays as the books say.
          </Text>
          <div className={classes.box}>
            <table className={classes.table}>
              <thead>
                <tr>
                  <th scope="col">Well</th>
                  <th scope="col">Content</th>
                  <th scope="col">By the books</th>
                  <th scope="col">Reserved</th>
                  <th scope="col">Found, µL</th>
                </tr>
              </thead>
              <tbody onKeyDown={toNext}>
                {wells.map((it, at) => (
                  <tr key={it.well}>
                    <th scope="row">{it.well}</th>
                    <td className={classes.content} title={it.content}>
                      {it.content}
                    </td>
                    <td>{microlitres(it.volume_nl)}</td>
                    <td>{microlitres(it.reserved_nl)}</td>
                    <td>
                      <TextInput
                        size="xs"
                        aria-label={`Found in ${it.well}, microlitres`}
                        inputMode="decimal"
                        autoComplete="off"
                        data-autofocus={at === 0 || undefined}
                        value={typed[it.well] ?? ""}
                        error={faults.get(it.well)}
                        onChange={({ currentTarget: { value } }) =>
                          setTyped((old) => ({ ...old, [it.well]: value }))
                        }
                      />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <Textarea
            label="Why"
            description="It goes into the record: weighed, looked at, refilled."
            autosize
            minRows={2}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" disabled={counting.isPending} onClick={close}>
              Back
            </Button>
            <Button type="submit" loading={counting.isPending} disabled={!isReady}>
              {found.length === 0 ? "Set what was found" : `Set ${plural(found.length, "well")}`}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** Enter goes to the next well: nothing is sent by it while volumes are written. */
function toNext(event: KeyboardEvent<HTMLElement>) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const fields = [...event.currentTarget.querySelectorAll("input")];
  fields[fields.indexOf(event.target as HTMLInputElement) + 1]?.focus();
}

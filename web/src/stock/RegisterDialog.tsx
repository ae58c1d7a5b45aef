import { Alert, Button, Group, SegmentedControl, Stack } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../display/Dialog.tsx";
import type { StockRole } from "./queries.ts";
import { renewStock, sendPlates } from "./send.ts";
import { TableField, tableFault } from "./TableField.tsx";
import { TableProblem } from "./TableProblem.tsx";
import { importedWords } from "./words.ts";

/** Brings plates into the stock from a table. */
export function RegisterDialog({ first, close }: { first: StockRole; close: () => void }) {
  const client = useQueryClient();
  const [kind, setKind] = useState(first);
  const [csv, give] = useState("");
  const registering = useMutation({
    mutationFn: (csv: string) => sendPlates(kind, csv),
    onSuccess: () => renewStock(client),
  });
  return (
    <Dialog
      pending={registering.isPending}
      opened
      onClose={close}
      title="Register plates"
      size="lg"
      closeOnClickOutside={csv === ""}
    >
      {registering.data ? (
        <Stack>
          <Alert
            role="status"
            variant="light"
            color="pine"
            icon={<IconCheck size={18} aria-hidden />}
            title="Done"
          >
            {importedWords(registering.data)}
          </Alert>
          <Group justify="flex-end">
            <Button
              variant="default"
              onClick={() => {
                give("");
                registering.reset();
              }}
            >
              Another table
            </Button>
            <Button data-autofocus onClick={close}>
              Close
            </Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!tableFault(kind, csv) && !registering.isPending) registering.mutate(csv);
          }}
        >
          <Stack>
            {registering.error ? (
              <TableProblem
                error={registering.error}
                what="Nothing was registered"
                csv={registering.variables ?? csv}
              />
            ) : null}
            <SegmentedControl
              aria-label="Which plates"
              size="sm"
              mt={4}
              value={kind}
              onChange={(value) => {
                setKind(value as StockRole);
                registering.reset();
              }}
              data={[
                { value: "library", label: "Source plates" },
                { value: "assay", label: "Blank plates" },
              ]}
            />
            <TableField kind={kind} csv={csv} give={give} />
            <Group justify="flex-end">
              <Button variant="default" disabled={registering.isPending} onClick={close}>
                Back
              </Button>
              <Button type="submit" loading={registering.isPending} disabled={tableFault(kind, csv) !== null}>
                Register
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  );
}

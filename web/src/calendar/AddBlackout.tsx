import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, freshKey } from "../api/client.ts";
import { instrumentsQuery } from "../api/queries.ts";
import type { Blackout } from "../api/types.ts";
import { Dialog } from "../display/Dialog.tsx";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { say } from "../display/said.ts";
import { asLocal, stretchFault } from "./wall.ts";

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Enters a closure of the laboratory, or maintenance of one instrument. */
export function AddBlackout({ close }: { close: () => void }) {
  const client = useQueryClient();
  const instruments = useQuery(instrumentsQuery);
  const [instrument, setInstrument] = useState("");
  const [from, setFrom] = useState({ date: "", time: "" });
  const [to, setTo] = useState({ date: "", time: "" });
  const [zone, setZone] = useState(OWN_ZONE);
  const [reason, setReason] = useState("");
  // One key for one stretch: a repeat after a lost answer enters it once.
  const [key] = useState(freshKey);
  const begins = from.date && asLocal(from.date, from.time);
  const ends = to.date && asLocal(to.date, to.time);
  const fault = stretchFault(begins, ends);
  const adding = useMutation({
    mutationFn: () =>
      answer<Blackout>(
        api.POST("/api/v1/calendar/blackouts", {
          params: { header: { "idempotency-key": key } },
          body: {
            from: begins,
            to: ends,
            zone: zone.trim() || null,
            reason: reason.trim(),
            instrument: instrument || null,
          },
        }),
      ),
    onSuccess: async () => {
      say("It is on the calendar.");
      close();
      for (const name of ["blackouts", "calendar", "next-ticks"])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <Dialog pending={adding.isPending} opened onClose={close} title="Close the laboratory, or an instrument">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate();
        }}
      >
        <Stack gap="sm">
          {adding.error ? <ProblemNotice what="It is not on the calendar" error={adding.error} /> : null}
          <Select
            label="What"
            allowDeselect={false}
            data={[
              { value: "", label: "The whole laboratory: no round begins" },
              ...(instruments.data ?? []).map((it) => ({ value: it.name, label: `Only ${it.name}` })),
            ]}
            value={instrument}
            onChange={(value) => setInstrument(value ?? "")}
          />
          <Moment label="From" value={from} change={setFrom} />
          <Moment label="Until" value={to} change={setTo} error={fault} />
          <Text size="xs" c="dimmed">
            Without a time, days are meant from their first to their last moment.
          </Text>
          <TextInput
            label="By the clock of"
            description="An IANA time zone"
            placeholder="Europe/Berlin"
            spellCheck={false}
            value={zone}
            onChange={(event) => setZone(event.currentTarget.value)}
          />
          <TextInput
            label="Why"
            placeholder={instrument ? "Yearly service" : "Christmas"}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button variant="default" disabled={adding.isPending} onClick={close}>
              Back
            </Button>
            <Button
              type="submit"
              loading={adding.isPending}
              disabled={!begins || !ends || fault !== null || !reason.trim()}
            >
              Add it
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

type Given = { date: string; time: string };
type MomentProps = { label: string; value: Given; change: (value: Given) => void; error?: string | null };

function Moment({ label, value, change, error }: MomentProps) {
  return (
    <Group gap="xs" align="flex-start" grow preventGrowOverflow={false} wrap="nowrap">
      <TextInput
        type="date"
        label={label}
        error={error}
        value={value.date}
        onChange={(event) => change({ ...value, date: event.currentTarget.value })}
      />
      <TextInput
        type="time"
        label="Time, if not the whole day"
        value={value.time}
        onChange={(event) => change({ ...value, time: event.currentTarget.value })}
      />
    </Group>
  );
}

import { Button, Group, Loader, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { answer, api } from "../api/client.ts";
import { deliveryQuery } from "../api/queries.ts";
import type { Channel, Delivery } from "../api/types.ts";
import { ProblemNotice } from "../display/ProblemNotice.tsx";
import { testWords } from "./words.ts";

/** Tells a channel a test, and says how it ended: it goes the way of every delivery. */
export function TestChannel({ channel, close }: { channel: Channel; close: () => void }) {
  const { mutate, data, error } = useMutation({
    mutationFn: () =>
      answer<Delivery>(api.POST("/api/v1/channels/{id}/test", { params: { path: { id: channel.id } } })),
  });
  const begun = useRef(false);
  useEffect(() => {
    // Once, also where development mounts everything twice.
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);
  const followed = useQuery({
    ...deliveryQuery(data?.id ?? ""),
    enabled: data !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.state !== "pending" ? false : 1_000),
  });
  const words = followed.data ? testWords(followed.data) : null;
  const ended = followed.data !== undefined && followed.data.state !== "pending";
  return (
    <Modal opened onClose={close} title={`Test of ${channel.name}`}>
      <Stack>
        {error ? <ProblemNotice what="No test was sent" error={error} /> : null}
        {followed.error && !followed.data ? (
          <ProblemNotice what="How it went cannot be read" error={followed.error} />
        ) : null}
        {error ? null : (
          <Group gap="sm" wrap="nowrap" align="flex-start" role="status">
            {ended ? null : <Loader size="xs" mt={3} aria-hidden />}
            <Text size="sm">{words ?? `A test is on its way to ${channel.target}.`}</Text>
          </Group>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

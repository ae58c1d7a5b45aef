import { Button, Group, Modal, Radio, Stack, Text, Textarea } from "@mantine/core";
import { type ReactNode, useState } from "react";
import classes from "./ChoiceWithReason.module.css";
import { ProblemNotice } from "./ProblemNotice.tsx";

export type Choice<V extends string> = { value: V; label: string; description: ReactNode };

type Props<V extends string> = {
  /** What is chosen, for whoever does not see the cards. */
  label: string;
  choices: readonly Choice<V>[];
  reason: { label: string; hint: string };
  /** Why it cannot be decided here, in place of the hint; the form is off then. */
  off?: string | undefined;
  /** What the button says, before and after something is chosen. */
  button: (chosen: V | null) => string;
  /** Asked once more, in words, before what cannot be taken back. */
  confirm?: (chosen: V) => { title: string; text: ReactNode; button: string };
  decide: (chosen: V, reason: string) => void;
  pending: boolean;
  error: unknown;
  /** In a few words: "Nothing was decided". */
  failed: string;
};

/** One of a few safe answers, with a reason for the record: nothing is decided by one press. */
export function ChoiceWithReason<V extends string>(props: Props<V>) {
  const { label, choices, reason, off, button, confirm, decide, pending, error, failed } = props;
  const [chosen, setChosen] = useState<V | null>(null);
  const [why, setWhy] = useState("");
  const [asked, setAsked] = useState(false);
  const isOff = off !== undefined;
  const last = chosen ? confirm?.(chosen) : undefined;
  return (
    <Stack gap="sm" className={classes.form}>
      {error ? <ProblemNotice what={failed} error={error} /> : null}
      <Radio.Group aria-label={label} value={chosen} onChange={(value) => setChosen(value as V)}>
        <div className={classes.choices}>
          {choices.map((choice) => (
            <Radio.Card
              key={choice.value}
              value={choice.value}
              className={classes.choice}
              disabled={isOff}
              aria-label={choice.label}
            >
              <Group wrap="nowrap" align="flex-start" gap="sm">
                <Radio.Indicator mt={2} />
                <div>
                  <Text size="sm" fw={600}>
                    {choice.label}
                  </Text>
                  <Text size="sm" c="dimmed" component="div">
                    {choice.description}
                  </Text>
                </div>
              </Group>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <Textarea
        label={reason.label}
        description={off ?? reason.hint}
        autosize
        minRows={2}
        disabled={isOff}
        value={why}
        onChange={(event) => setWhy(event.currentTarget.value)}
      />
      <Group justify="flex-end">
        <Button
          disabled={isOff || !chosen || !why.trim()}
          loading={pending}
          onClick={() => {
            if (confirm) setAsked(true);
            else if (chosen) decide(chosen, why.trim());
          }}
        >
          {button(chosen)}
        </Button>
      </Group>
      <Modal opened={asked && last !== undefined} onClose={() => setAsked(false)} title={last?.title}>
        <Text size="sm">{last?.text}</Text>
        <Text size="sm" mt="sm">
          <q>{why.trim()}</q>
        </Text>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setAsked(false)}>
            Back
          </Button>
          <Button
            data-autofocus
            onClick={() => {
              setAsked(false);
              if (chosen) decide(chosen, why.trim());
            }}
          >
            {last?.button}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}

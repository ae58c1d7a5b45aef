import { ActionIcon, Button, Popover, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBell } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../api/client.ts";
import { notificationsQuery } from "../api/queries.ts";
import type { Notification } from "../api/types.ts";
import { sayProblem } from "../display/said.ts";
import { When } from "../display/When.tsx";
import { useMay } from "../session/may.ts";
import { subjectLink } from "../tasks/subject.ts";
import classes from "./Bell.module.css";
import { byUrgency, unseen } from "./urgency.ts";

/** What people are told and what is still so; the number counts what nobody has taken on. */
export function Bell() {
  const [opened, { toggle, close }] = useDisclosure();
  const read = useQuery(notificationsQuery);
  const list = byUrgency(read.data?.items ?? []);
  const waiting = unseen(list);
  const urgent = list.some((it) => it.state === "open" && it.severity === "critical");
  return (
    <Popover opened={opened} onChange={close} position="bottom-end" width={400} trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon
          size="lg"
          className={classes.bell}
          aria-label={`Notifications: ${waiting === 0 ? "none new" : `${waiting} new`}`}
          title="Notifications"
          onClick={toggle}
        >
          <IconBell size={18} stroke={1.6} />
          {waiting > 0 ? (
            <span className={classes.count} data-urgent={urgent || undefined} aria-hidden>
              {waiting > 99 ? "99+" : waiting}
            </span>
          ) : null}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Notifications">
        <div className={classes.head}>
          <Text fw={600} size="sm">
            Notifications
          </Text>
          <Text size="xs" c="dimmed">
            {list.length === 0 ? "" : waiting === 0 ? "somebody looks after each" : `${waiting} new`}
          </Text>
        </div>
        {read.error && !read.data ? (
          <Text size="sm" p="md" c="var(--lw-bad)">
            They cannot be read just now.
          </Text>
        ) : list.length === 0 ? (
          <Text size="sm" p="md" c="dimmed">
            Nothing calls for anybody. What waits for a person shows here, and goes when it is dealt with.
          </Text>
        ) : (
          <ul className={classes.list}>
            {list.map((it) => (
              <Line key={it.id} notification={it} close={close} />
            ))}
          </ul>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function Line({ notification, close }: { notification: Notification; close: () => void }) {
  const { id, title, message, severity, state } = notification;
  const may = useMay("batch:approve", "plate:decide", "job:resolve", "campaign:write");
  const client = useQueryClient();
  const taking = useMutation({
    mutationFn: () =>
      answer<Notification>(api.POST("/api/v1/notifications/{id}/acknowledge", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["notifications"] }),
    onError: (error) => sayProblem("It is not acknowledged", error),
  });
  const link = subjectLink(notification);
  return (
    <li className={classes.line} data-severity={severity} data-taken={state !== "open" || undefined}>
      <span className={classes.mark} aria-hidden />
      <div className={classes.words}>
        <div className={classes.title}>
          <span className="lw-hidden">{severity}: </span>
          {link ? (
            <Link {...(link as { to: string })} onClick={close}>
              {title}
            </Link>
          ) : (
            title
          )}
        </div>
        <div className={classes.message}>{message}</div>
        <div className={classes.foot}>
          <span>
            <When at={notification.opened_at} />
            {notification.escalations > 0 ? `, escalated ${timesWord(notification.escalations)}` : ""}
            {notification.acknowledged_by ? ` · ${notification.acknowledged_by} looks after it` : ""}
          </span>
          {state === "open" && may ? (
            <Button
              size="compact-xs"
              variant="default"
              loading={taking.isPending}
              onClick={() => taking.mutate()}
            >
              {notification.topic === "campaign.finished" ? "I have read it" : "I look after it"}
            </Button>
          ) : null}
        </div>
      </div>
    </li>
  );
}

const timesWord = (n: number) => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);

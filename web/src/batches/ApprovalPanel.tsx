import { Text } from "@mantine/core";
import { IconCheck, IconCircleDashed, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { campaignQuery } from "../api/queries.ts";
import type { Batch } from "../api/types.ts";
import { plural } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import { LabWhen, useLabNow, When } from "../display/When.tsx";
import classes from "./ApprovalPanel.module.css";
import { policyWords } from "./policy.ts";

const rolesOf = (verdict: Batch["verdicts"][number]) =>
  verdict.roles?.length ? `${verdict.roles.join(", ")} · ` : "";

/** The record says `approve`; people say what was done. */
const spoken = (verdict: string) => ({ approve: "approved", reject: "rejected" })[verdict] ?? verdict;

const sentence = (words: string) => `${words.replace(/\.$/, "")}.`;

/** Who has spoken, who is still needed, until when. */
export function ApprovalPanel({ batch }: { batch: Batch }) {
  const { approval, verdicts, revision } = batch;
  const waits = batch.state === "awaiting_approval";
  const labNow = useLabNow();
  const isOver = Boolean(approval.expires_lab_at && new Date(approval.expires_lab_at) <= labNow);
  return (
    <Panel
      title="Approval"
      note={
        waits
          ? `${approval.given} of ${plural(approval.needed, "approval")} of revision ${revision}`
          : undefined
      }
    >
      <ul className={classes.list}>
        {waits
          ? approval.roles.map((role) => (
              <li key={role.role}>
                {role.given >= role.needed ? (
                  <IconCheck size={16} className={classes.yes} aria-label="given" />
                ) : (
                  <IconCircleDashed size={16} className={classes.open} aria-label="needed" />
                )}
                <span className={classes.who}>{role.role}</span>
                <span className={classes.rest}>
                  {role.given} of {role.needed}
                </span>
              </li>
            ))
          : null}
        {verdicts.map((verdict) => {
          const counts = verdict.revision === revision;
          return (
            <li
              key={`${verdict.actor_id}-${verdict.revision}-${verdict.verdict}`}
              data-old={!counts || undefined}
            >
              {verdict.verdict === "rejected" || verdict.verdict === "reject" ? (
                <IconX size={16} className={classes.no} aria-hidden />
              ) : (
                <IconCheck size={16} className={classes.yes} aria-hidden />
              )}
              <span className={classes.who} title={verdict.actor}>
                {verdict.actor}
              </span>
              <span className={classes.rest}>
                {rolesOf(verdict)}
                {spoken(verdict.verdict)}
                {counts ? "" : ` revision ${verdict.revision}, which was changed since`}{" "}
                <When at={verdict.at} />
              </span>
              {verdict.reason ? <p className={classes.reason}>{verdict.reason}</p> : null}
            </li>
          );
        })}
        {verdicts.length === 0 && !(waits && approval.roles.length > 0) ? (
          <li>
            <IconCircleDashed size={16} className={classes.open} aria-hidden />
            <span className={classes.rest}>Nobody has spoken yet.</span>
          </li>
        ) : null}
      </ul>
      {waits && approval.missing ? (
        <Text size="sm" mt="xs">
          Still missing: {sentence(approval.missing)}
        </Text>
      ) : null}
      {waits && approval.asked_because ? (
        <Text size="sm" c="dimmed" mt="xs">
          People are asked because {approval.asked_because}.
        </Text>
      ) : null}
      {batch.excluded.length > 0 ? (
        <Text size="sm" c="dimmed" mt="xs">
          Kept out of this round by earlier rejections: {batch.excluded.join(", ")}.
        </Text>
      ) : null}
      {approval.editors.length > 0 ? (
        <Text size="sm" c="dimmed" mt="xs">
          Edited by {approval.editors.join(", ")}.
        </Text>
      ) : null}
      {waits && approval.expires_lab_at ? (
        <Text size="sm" mt="xs" c="var(--lw-warn)">
          {isOver ? "Its time was over" : "Expires"} <LabWhen at={approval.expires_lab_at} />
        </Text>
      ) : null}
      {waits ? <Policy campaign={batch.campaign_id} /> : null}
      {batch.closed_reason ? (
        <Text size="sm" mt="xs">
          {batch.closed_reason}
        </Text>
      ) : null}
      {batch.frozen_hash ? (
        <Text size="xs" c="dimmed" mt="xs" className="lw-cut" title={batch.frozen_hash}>
          Frozen under <span className="lw-mono">{batch.frozen_hash.slice(0, 20)}…</span>
        </Text>
      ) : null}
    </Panel>
  );
}

/** What the campaign asks for. Its place is small: it is read once, and below what is missing now. */
function Policy({ campaign }: { campaign: string }) {
  const { data } = useQuery(campaignQuery(campaign));
  const policy = data?.spec.policy;
  if (!policy) return null;
  return (
    <Text size="sm" c="dimmed" mt="xs">
      {policyWords(policy, data.spec.cost?.currency ?? "EUR").join(" ")}
    </Text>
  );
}

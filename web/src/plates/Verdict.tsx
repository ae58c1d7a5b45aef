import { Text } from "@mantine/core";
import type { Judgement } from "../api/types.ts";
import { Facts } from "../display/Facts.tsx";
import { number, percent } from "../display/format.ts";
import { StateBadge } from "../display/StateBadge.tsx";

/** What QC says, with the numbers it says it from. */
export function Verdict({ qc }: { qc: Judgement | null }) {
  if (!qc) {
    return (
      <Text size="sm" c="dimmed">
        Judged as soon as it is read: Z'-factor, drift of the negative control, missing wells.
      </Text>
    );
  }
  return (
    <>
      <div style={{ marginBottom: 10 }}>
        <StateBadge
          state={qc.verdict === "pass" ? "passed" : "failed"}
          label={qc.verdict === "pass" ? "QC passed" : "QC failed"}
        />
      </div>
      <Facts
        facts={[
          {
            label: "Z'-factor",
            value: number(qc.z_prime),
            hint: "Separation of the controls (Zhang, Chung & Oldenburg 1999); 1 is perfect, above 0.5 is excellent",
          },
          {
            label: "Control drift",
            value: percent(qc.control_drift),
            hint: "Change of the negative control across the plate, as a share of the control window",
          },
          {
            label: "Missing wells",
            value: percent(qc.missing_fraction, 1),
            hint: "Without a reading, or with a failed or short transfer",
          },
          {
            label: "Negative control",
            value: `${number(qc.negative.mean)} ± ${number(qc.negative.sd)}`,
            hint: `Mean and sd of ${qc.negative.n} wells`,
          },
          {
            label: "Positive control",
            value: `${number(qc.positive.mean)} ± ${number(qc.positive.sd)}`,
            hint: `Mean and sd of ${qc.positive.n} wells`,
          },
        ]}
      />
      {qc.reasons.length > 0 ? (
        <ul style={{ margin: "10px 0 0", paddingLeft: 18, color: "var(--lw-bad)" }}>
          {qc.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

import { Text } from "@mantine/core";
import type { Campaign } from "../api/types.ts";
import { count, percent, volume, words } from "../display/format.ts";
import { Panel } from "../display/Panel.tsx";
import classes from "./About.module.css";

/** What the campaign's file says, for whoever did not write it. */
export function About({ campaign }: { campaign: Campaign }) {
  const { spec } = campaign;
  const lines: [string, string][] = [
    ["Readout", `${spec.objective.readout}, ${words(spec.objective.direction)}`],
    ["A hit is", hitWords(spec.objective.hit)],
    [
      "Design space",
      `${count(campaign.pool_size)} experiments, ${words(spec.design.combinations ?? "singles")} in ${spec.design.contexts.join(", ")}`,
    ],
    [
      "Chosen by",
      acquisitionWords(spec.acquisition) + spreadWords(spec) + plateWords(spec) + repeatWords(spec),
    ],
    [
      "Assay",
      `${spec.assay.replicates} wells each of ${volume(spec.assay.transfer_volume_nl)}, ${spec.assay.incubate_hours} h at ${spec.assay.temperature_celsius} °C`,
    ],
    [
      "Controls a plate",
      `${spec.controls.negative.wells} negative, ${spec.controls.positive.wells} positive`,
    ],
    ["Budget", `${spec.budget.rounds} rounds of ${count(spec.budget.batch)}`],
    ["Approval", spec.policy?.auto_approve ? "without people" : `${spec.policy?.approvals ?? 1} needed`],
  ];
  return (
    <Panel title="About" note={`Version ${campaign.version}`}>
      {spec.goal ? (
        <Text size="sm" mb="sm">
          {spec.goal}
        </Text>
      ) : null}
      <dl className={classes.lines}>
        {lines.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd title={value}>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

type Spec = Campaign["spec"];

function hitWords(hit: Spec["objective"]["hit"]): string {
  if ("channel" in hit) return `called by the reader's channel ${hit.channel}`;
  if ("at_least" in hit) return `at least ${hit.at_least}`;
  if ("at_most" in hit) return `at most ${hit.at_most}`;
  return `at least ${hit.two_sided} to either side`;
}

function acquisitionWords(acquisition: Spec["acquisition"]): string {
  switch (acquisition.name) {
    case "hit_probability":
      return "highest hit probability";
    case "greedy":
      return "best predicted mean";
    case "ucb":
      return `UCB: mean plus ${acquisition.beta} epistemic sd`;
    case "expected_improvement":
      return "largest expected improvement over the best measured";
    case "thompson":
      return "Thompson: one posterior sample per pick";
    case "top_two":
      return "top-two Thompson: the best of a sample, or its challenger";
    case "information_gain":
      return "what teaches most of the readout";
    case "bald":
      return "what teaches most of hits";
    case "max_epistemic":
      return "where the model is least sure";
    case "random":
      return "chance alone";
    case "auto":
      return "hit probability, and a share that learns where the evidence is for it";
  }
}

function repeatWords({ acquisition }: Campaign["spec"]): string {
  const share = acquisition.replicate_share ?? 0;
  return share > 0 ? `; up to ${percent(share)} of a batch may be measured again` : "";
}

function plateWords({ acquisition, design }: Campaign["spec"]): string {
  return acquisition.whole_plates && design.contexts.length > 1 ? "; on whole plates of a context" : "";
}

/** What the file leaves open is the usual: batches of single edits are spread, random ones are not. */
function spreadWords({ acquisition, design }: Campaign["spec"]): string {
  const { name, diversity } = acquisition;
  const usual = name !== "random" && (design.combinations ?? "singles") === "singles";
  if (diversity == null) return usual ? ", spread over the features" : "";
  return diversity ? `, spread over the features (${diversity})` : "";
}

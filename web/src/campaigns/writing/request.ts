import type { NewCampaign } from "../../api/types.ts";
import { digestsOf, type Row } from "./files.ts";

/** The body that creates the campaign. */
export function requestOf(toml: string, rows: readonly Row[], project: string | null): NewCampaign {
  const body: NewCampaign = { toml, files: digestsOf(rows) };
  if (project !== null) body.project_id = project;
  return body;
}

/** One key for one request: a repeat after a lost answer creates one campaign, a changed one is another request. */
export function makeKeys(fresh: () => string) {
  let last = { sent: "", key: "" };
  return (body: NewCampaign): string => {
    const sent = JSON.stringify(body);
    if (sent !== last.sent) last = { sent, key: fresh() };
    return last.key;
  };
}

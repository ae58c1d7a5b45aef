import type { CampaignSpec } from "../../api/types.ts";

/**
 * Why a prior's file may need columns that it has not; `null` where it is taken as it is. The command line adds them
 * from the table beside the file, a browser sends the file as it is.
 */
export function priorWarning({ model }: CampaignSpec): string | null {
  if (!model?.priors?.length) return null;
  const excludes = (model.exclude_prior_groups ?? []).length > 0;
  const describes = Object.values(model.description ?? {}).some(Boolean);
  if (!excludes && !describes) return null;
  const fields = [
    excludes ? "model.exclude_prior_groups" : null,
    describes ? "model.description" : null,
  ].filter((it) => it !== null);
  const needed = excludes ? (describes ? "its study and its description" : "its study") : "its description";
  return `${fields.join(" and ")}: each screen of a prior must say ${needed} in columns of the file itself. The page sends the file as it is. Where these stand in a screens.csv beside it, let the command line add them: loopwright campaign create -f campaign.toml`;
}

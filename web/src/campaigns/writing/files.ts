// The files that a campaign names, and those that were chosen for them.
import type { Campaign, WantedFile } from "../../api/types.ts";
import type { Draft, Stored } from "./draft.ts";

/** On its way to the server, or stuck. `share` is absent while its digest is computed. */
export type UnderWay = { title: string; size: number } & (
  | { state: "sending"; share?: number }
  | { state: "failed"; why: string }
);

/** One file of the campaign, by the name its file gives it, with every field that names it. */
export type Row = { name: string; fields: string[] } & (
  | { state: "missing" }
  | { state: "earlier"; campaign: string; sha256: string }
  | ({ state: "stored" } & Stored)
  | UnderWay
);

export function rowsOf(
  wanted: readonly WantedFile[],
  { stored, earlier }: Pick<Draft, "stored" | "earlier">,
  underWay: Record<string, UnderWay>,
): Row[] {
  const names = [...new Set(wanted.map((it) => it.name))];
  return names.map((name): Row => {
    const of = { name, fields: wanted.filter((it) => it.name === name).map((it) => it.field) };
    const [moving, there, inherited] = [underWay[name], stored[name], earlier?.files[name]];
    if (moving) return { ...of, ...moving };
    if (there) return { ...of, state: "stored", ...there };
    if (inherited && earlier)
      return { ...of, state: "earlier", campaign: earlier.campaign, sha256: inherited };
    return { ...of, state: "missing" };
  });
}

/** What is sent of them with the campaign. */
export function digestsOf(rows: readonly Row[]): Record<string, string> {
  const there = rows.flatMap((row) => ("sha256" in row ? [[row.name, row.sha256]] : []));
  return Object.fromEntries(there);
}

const baseName = (path: string) => path.split(/[\\/]/).at(-1) ?? path;

/**
 * Which of the chosen files is which of the campaign's: by name without its folder, else by the same without regard
 * to case. What fits several, or none, is left for people to say.
 */
export function matched<F extends { name: string }>(chosen: readonly F[], names: readonly string[]) {
  const found: { name: string; file: F }[] = [];
  const strangers: F[] = [];
  for (const file of chosen) {
    const exact = names.filter((name) => baseName(name) === file.name);
    const alike = names.filter((name) => baseName(name).toLowerCase() === file.name.toLowerCase());
    const [only, ...others] = exact.length > 0 ? exact : alike;
    if (only !== undefined && others.length === 0) found.push({ name: only, file });
    else strangers.push(file);
  }
  return { found, strangers };
}

/** The files of an earlier campaign that need not be sent again. Of its genes only the design space is kept. */
export function filesOf({ spec, features, priors }: Pick<Campaign, "spec" | "features" | "priors">) {
  const files: Record<string, string> = {};
  const take = (names: readonly string[] = [], digests: readonly string[]) => {
    for (const [at, name] of names.entries()) {
      const digest = digests[at];
      if (digest) files[name] = digest;
    }
  };
  take(spec.model?.features, features);
  take(spec.model?.priors, priors);
  return files;
}

/** The one campaign file among those that were dropped, and the rest. */
export function campaignAmong<F extends { name: string }>(dropped: readonly F[], wanted: readonly string[]) {
  const files = dropped.filter((it) => /\.toml$/i.test(it.name) && !wanted.includes(it.name));
  const campaign = files.length === 1 ? files[0] : undefined;
  return { campaign, rest: dropped.filter((it) => it !== campaign) };
}

/** `12 bytes`, `3.4 MB`. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB"];
  let value = bytes / 1000;
  let at = 0;
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${units[at]}`;
}

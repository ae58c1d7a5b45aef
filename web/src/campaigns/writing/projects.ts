import type { Grant, Project } from "../../api/types.ts";

/** The project that every installation begins with. */
const FIRST = "00000000-0000-7000-8000-000000000002";

/** Those in which somebody with these grants may create campaigns. The server decides; this only saves a refusal. */
export function writableProjects(projects: readonly Project[], grants: readonly Grant[]): Project[] {
  const writing = grants.filter(({ role }) => role === "engineer" || role === "admin");
  const everywhere = writing.some((grant) => grant.project_id == null);
  return projects.filter((project) => everywhere || writing.some((it) => it.project_id === project.id));
}

/** The one that was chosen, while one may; else the first one, else any. `null`: the server's choice. */
export function projectOf(writable: readonly Project[], chosen: string | null): string | null {
  const ids = writable.map((it) => it.id);
  return [chosen, FIRST, ids[0]].find((id) => id != null && ids.includes(id)) ?? null;
}

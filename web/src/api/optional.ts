import { plain } from "./client.ts";
import { isMissing } from "./problem.ts";

/** Reads what an older server does not have: `null` from one that answers 404. */
export async function optional<T>(path: string, signal?: AbortSignal): Promise<T | null> {
  try {
    return await plain<T>("GET", path, signal ? { signal } : {});
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

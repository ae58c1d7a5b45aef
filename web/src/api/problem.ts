/** What a server answers when it does not do what was asked (RFC 9457), or what stands for it when none answers. */
export type Problem = {
  code: string;
  detail: string;
  status: number;
  title?: string;
  errors?: { line: number; column: number; path: string; reason: string }[];
  /** Seconds after which the same may pass. */
  retryAfter?: number;
};

/** Thrown by every request that was not answered with success. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

const UNREACHABLE: Problem = {
  code: "client.unreachable",
  detail: "The server does not answer. What you typed stays here; it is sent again when you repeat it.",
  status: 0,
};

/** The problem behind anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError")) {
    return UNREACHABLE;
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "client.defect", detail: `The app met a defect of its own: ${detail}`, status: 0 };
}

export const hasCode = (error: unknown, code: string) =>
  error instanceof ProblemError && error.problem.code === code;

export const isMissing = (error: unknown) => error instanceof ProblemError && error.problem.status === 404;

/** Somebody changed it since it was read. */
export const isOutdated = (error: unknown) => error instanceof ProblemError && error.problem.status === 412;

/** Whether the same request may pass later without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  const { status, code } = problemOf(error);
  return code === UNREACHABLE.code || status === 502 || status === 503 || status === 504;
}

/** Reads a problem from an answer, whoever gave it: a proxy in between speaks no problem+json. */
export async function readProblem(response: Response): Promise<Problem> {
  const after = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : undefined;
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as Partial<Problem>;
    if (typeof body.code === "string" && typeof body.detail === "string") {
      return { ...body, code: body.code, detail: body.detail, status: response.status, retryAfter };
    }
  } catch {
    // Not JSON: a proxy's page, or nothing.
  }
  const code = `http.${response.status}`;
  const detail =
    response.status >= 500
      ? "The server cannot answer just now. Try again in a moment."
      : `The server refused this (HTTP ${response.status}).`;
  return { code, detail, status: response.status, retryAfter };
}

import createClient, { type Middleware } from "openapi-fetch";
import { type Problem, ProblemError, readProblem } from "./problem.ts";
import type { paths } from "./schema";

/** Proof that a request comes from this app; kept in memory only, and sent with everything that changes something. */
let csrfToken: string | null = null;
export const setCsrfToken = (token: string | null) => {
  csrfToken = token;
};

let onSignedOut: (problem: Problem) => void = () => {};
/** Who is told when the server no longer knows the session. */
export const whenSignedOut = (listener: typeof onSignedOut) => {
  onSignedOut = listener;
};

/** What proves a request that changes something; for those that `fetch` cannot send. */
export const proof = (): Record<string, string> => (csrfToken ? { "x-csrf-token": csrfToken } : {});

/** The error behind an answer that is no success. Whoever waits for it is told when the session is over. */
export async function refusal(response: Response, path: string): Promise<ProblemError> {
  const problem = await readProblem(response);
  if (response.status === 401 && path !== "/api/v1/session") onSignedOut(problem);
  return new ProblemError(problem);
}

/** The app is served by the server it talks to. Tests of logic have no location. */
const HERE = globalThis.location?.origin ?? "http://localhost";

/** Longer than any answer takes; the page must not wait for ever. */
const TIMEOUT_MS = 40_000;

async function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  if (request.method !== "GET") for (const [name, value] of Object.entries(proof())) headers.set(name, value);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return await fetch(new Request(request, { headers, signal, credentials: "same-origin" }));
}

const refuse: Middleware = {
  async onResponse({ response, schemaPath }) {
    if (response.ok) return undefined;
    throw await refusal(response, schemaPath);
  },
};

/** The API as docs/openapi.json describes it. Whatever is not success is thrown as a `ProblemError`. */
export const api = createClient<paths>({ baseUrl: HERE, fetch: send });
api.use(refuse);

/** The body of an answer that has one. */
export async function answer<T>(asked: Promise<{ data?: T }>): Promise<T> {
  const { data } = await asked;
  return data as T;
}

type Plain = { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal };

/** A request whose types are named by whoever sends it; for bodies that are put together by hand. */
export async function plain<T>(method: string, path: string, { body, headers, signal }: Plain = {}) {
  const sent: HeadersInit = { accept: "application/json", ...headers };
  if (body !== undefined) (sent as Record<string, string>)["content-type"] = "application/json";
  const url = new URL(path, HERE);
  const response = await send(
    new Request(url, {
      method,
      headers: sent,
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    }),
  );
  if (!response.ok) throw await refusal(response, url.pathname);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Sent with a command, so that a repeat after a lost answer does it once. */
export const freshKey = () => crypto.randomUUID();

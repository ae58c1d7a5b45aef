import { proof, refusal } from "./client.ts";

/** An upload of which nothing moves for so long has stalled. How long the whole takes depends on its size. */
const STALLED_MS = 60_000;

type Options = { signal?: AbortSignal; progress?: (share: number) => void };

/**
 * Puts a file to an address of the API, as it is. Like `api` but for telling how far it is, which `fetch` cannot;
 * whatever is not success is thrown as a `ProblemError`, too.
 */
export async function upload(path: string, file: Blob, options: Options = {}): Promise<void> {
  const response = await sent(path, file, options);
  if (!response.ok) throw await refusal(response, path);
}

function sent(path: string, file: Blob, { signal, progress }: Options): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = () => request.abort();
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      settle();
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        end(() => reject(new DOMException("Nothing moved any more.", "TimeoutError")));
        request.abort();
      }, STALLED_MS);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      wait();
      if (total > 0) progress?.(loaded / total);
    };
    request.onload = () => {
      const { status, responseText } = request;
      const body = status === 204 || status === 205 || status === 304 ? null : responseText;
      end(() => resolve(new Response(body, { status })));
    };
    // What `fetch` throws where no server answers.
    request.onerror = () => end(() => reject(new TypeError("The server does not answer.")));
    request.onabort = () => end(() => reject(new DOMException("It was given up.", "AbortError")));
    request.open("PUT", path);
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("content-type", "application/octet-stream");
    for (const [name, value] of Object.entries(proof())) request.setRequestHeader(name, value);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) return end(() => reject(new DOMException("It was given up.", "AbortError")));
    wait();
    request.send(file);
  });
}

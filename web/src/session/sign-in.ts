import type { QueryClient } from "@tanstack/react-query";
import { plain, setCsrfToken, whenSignedOut } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import type { makeRouter } from "../app/router.ts";

/** Keeps what the server said of the session, also what proves our requests. */
export function keepSession(client: QueryClient, session: Session) {
  setCsrfToken(session.csrf_token);
  client.setQueryData(sessionQuery.queryKey, session);
}

export async function signIn(client: QueryClient, name: string, password: string) {
  const session = await plain<Session>("POST", "/api/v1/session", { body: { name, password } });
  client.clear();
  keepSession(client, session);
  return session;
}

export async function signOut(client: QueryClient, everywhere: boolean) {
  await plain("DELETE", everywhere ? "/api/v1/session/everywhere" : "/api/v1/session");
  setCsrfToken(null);
  client.clear();
}

/** Once the server no longer knows us: the sign-in page, which leads back to where one was. */
export function goToSignIn(router: ReturnType<typeof makeRouter>, client: QueryClient) {
  whenSignedOut(() => {
    const { href, pathname } = router.state.location;
    if (pathname === "/sign-in") return;
    setCsrfToken(null);
    client.removeQueries({ queryKey: sessionQuery.queryKey });
    void router.navigate({ to: "/sign-in", search: { from: href } });
  });
}

/** Only a path of this app: a link must not lead a signed-in person elsewhere. */
export function safeReturn(from: string | undefined): string {
  if (
    !from?.startsWith("/") ||
    from.startsWith("//") ||
    from.startsWith("/\\") ||
    from.startsWith("/sign-in")
  ) {
    return "/";
  }
  return from;
}

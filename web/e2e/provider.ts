// An identity provider for the browser's tests: one page with a button, and a key of its own.

import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

const CLIENT = "loopwright-e2e";
export const SECRET = "of the browser's tests";
/** Who signs in there next: the page offers them. */
const PEOPLE = ["mary", "eve"];

export type Provider = { issuer: string; environment: Record<string, string>; stop: () => void };

/** Answers under `localhost`: another site than the app's `127.0.0.1`, as in a laboratory. */
export async function startProvider(secretFile: string): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const codes = new Map<string, { nonce: string; challenge: string; who: string }>();
  let issuer = "";
  const routes: Record<string, (asked: URL, request: IncomingMessage, answer: ServerResponse) => void> = {
    "/.well-known/openid-configuration": (_, __, answer) =>
      json(answer, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
      }),
    "/keys": (_, __, answer) =>
      json(answer, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "e2e", use: "sig" }] }),
    "/authorize": (asked, _, answer) => {
      const back = new URL(asked.searchParams.get("redirect_uri") ?? "");
      const state = asked.searchParams.get("state") ?? "";
      const links = PEOPLE.map((who) => {
        const code = randomUUID();
        const nonce = asked.searchParams.get("nonce") ?? "";
        codes.set(code, { nonce, challenge: asked.searchParams.get("code_challenge") ?? "", who });
        return `<p><a href="${back}?code=${code}&state=${state}">Continue as ${who}</a></p>`;
      });
      links.push(`<p><a href="${back}?error=access_denied&state=${state}">Cancel</a></p>`);
      answer.setHeader("content-type", "text/html");
      answer.end(`<!doctype html><html lang="en"><title>ACME</title><h1>ACME</h1>${links.join("")}`);
    },
    "/token": (_, request, answer) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        const form = new URLSearchParams(body);
        const known = codes.get(form.get("code") ?? "");
        codes.delete(form.get("code") ?? "");
        const proof = createHash("sha256")
          .update(form.get("code_verifier") ?? "")
          .digest("base64url");
        if (!known || proof !== known.challenge) {
          answer.statusCode = 400;
          return json(answer, { error: "invalid_grant" });
        }
        const now = Math.floor(Date.now() / 1000);
        const claims = {
          iss: issuer,
          sub: `subject of ${known.who}`,
          aud: CLIENT,
          iat: now,
          exp: now + 60,
          nonce: known.nonce,
          email: `${known.who}@example.org`,
          email_verified: true,
        };
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const message = `${part({ alg: "ES256", kid: "e2e" })}.${part(claims)}`;
        const signature = createSign("sha256")
          .update(message)
          .sign({ key: privateKey, dsaEncoding: "ieee-p1363" });
        json(answer, { id_token: `${message}.${signature.toString("base64url")}`, token_type: "Bearer" });
      });
    },
  };
  const server = createServer((request, answer) => {
    const asked = new URL(request.url ?? "/", issuer);
    const route = routes[asked.pathname];
    if (route) return route(asked, request, answer);
    answer.statusCode = 404;
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  issuer = `http://localhost:${typeof address === "object" && address ? address.port : 0}`;
  const environment = {
    LOOPWRIGHT_SIGN_ON_ISSUER: issuer,
    LOOPWRIGHT_SIGN_ON_CLIENT_ID: CLIENT,
    LOOPWRIGHT_SIGN_ON_CLIENT_SECRET_FILE: secretFile,
    LOOPWRIGHT_SIGN_ON_LABEL: "Sign in with ACME",
  };
  return { issuer, environment, stop: () => server.close() };
}

function json(answer: ServerResponse, body: object) {
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify(body));
}

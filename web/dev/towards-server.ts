// For development only, never part of the build: the dev server stands before a real Loopwright server.
//
//   LOOPWRIGHT_SERVER=http://127.0.0.1:8460          where the API is (this is the default)
//   LOOPWRIGHT_DEV_TOKEN=...                         a bearer token put on every request, and a session made up
//                                                    for it, for servers that know no sessions yet
import type { Plugin, ProxyOptions } from "vite";

const EVERY_SCOPE = [
  "read",
  "campaign:write",
  "batch:edit",
  "batch:approve",
  "plate:decide",
  "job:resolve",
  "inventory:write",
  "instrument:write",
  "work:people",
  "admin",
];

export function towardsServer(env: Record<string, string | undefined>): Plugin {
  const target = env.LOOPWRIGHT_SERVER ?? "http://127.0.0.1:8460";
  const token = env.LOOPWRIGHT_DEV_TOKEN;
  const proxy: Record<string, ProxyOptions> = {
    "/api": {
      target,
      headers: token ? { authorization: `Bearer ${token}` } : undefined,
      // A live stream is live before its first event: pass its head on at once.
      configure: (proxy) => {
        proxy.on("proxyRes", (_answer, _request, response) => {
          setImmediate(() => response.flushHeaders());
        });
      },
    },
    "/healthz": { target },
  };
  const session = JSON.stringify({
    user: { id: "00000000-0000-0000-0000-000000000000", name: "dev", display_name: "Developer" },
    grants: [{ project_id: null, project: null, role: "admin" }],
    scopes: EVERY_SCOPE,
    csrf_token: "dev",
    expires_at: "2100-01-01T00:00:00Z",
    idle_expires_at: "2100-01-01T00:00:00Z",
    must_change_password: false,
    demo: true,
  });
  const pretend: Plugin["configureServer"] = (server) => {
    if (!token) return;
    server.middlewares.use("/api/v1/session", (request, response, next) => {
      if (request.method !== "GET") return next();
      response.setHeader("content-type", "application/json");
      response.end(session);
    });
  };
  return {
    name: "towards-server",
    config: () => ({ server: { proxy }, preview: { proxy } }),
    configureServer: pretend,
    configurePreviewServer: pretend as Plugin["configurePreviewServer"],
  };
}

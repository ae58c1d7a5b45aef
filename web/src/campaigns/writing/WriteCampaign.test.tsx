// @vitest-environment jsdom
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  Outlet,
  RouterProvider,
  useParams,
} from "@tanstack/react-router";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Suspense } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CampaignCheck, CampaignSpec } from "../../api/types.ts";
import { Surroundings } from "../../tests/Surroundings.tsx";
import { WriteCampaign } from "./WriteCampaign.tsx";

const SESSION = {
  user: { id: "ana", name: "ana", display_name: "Ana" },
  grants: [{ project_id: null, role: "engineer" }],
  scopes: ["read", "campaign:write"],
};
const SPEC = {
  name: "mine",
  design: { genes_file: "genes.csv", contexts: ["d1"] },
  budget: { rounds: 5, batch: 96 },
  policy: { approvals: 2, self_approval: false, auto_approve: false },
} as unknown as CampaignSpec;
const RIGHT: CampaignCheck = {
  problems: [],
  warnings: [],
  files: [{ field: "design.genes_file", name: "genes.csv" }],
  round: { experiments: 96, experiments_per_plate: 120, plates_at_least: 1 },
  ticks: [{ at: "2031-01-06T07:30:00Z", local: "2031-01-06T08:30:00", zone: "Europe/Vienna", note: null }],
  spec: SPEC,
};
const wrong = (line: number, path: string, reason: string): CampaignCheck => ({
  ...RIGHT,
  problems: [{ line, column: 3, path, reason }],
  files: [],
  ticks: [],
  round: null,
  spec: null,
});

type Asked = { method: string; path: string; body: unknown; key: string | null };
type Answers = {
  check?: (toml: string) => CampaignCheck;
  create?: () => [number, unknown];
  session?: object;
  /** More that can be read, by its path. */
  read?: Record<string, unknown>;
};

/** The server: its check and its creation as a test wants them; the blobs that came are told of. */
function server({ check = () => RIGHT, create, session = SESSION, read = {} }: Answers = {}) {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname.replace("/api/v1", "");
    const text = await request.text();
    const body = text ? JSON.parse(text) : undefined;
    const answers: Record<string, () => [number, unknown]> = {
      "GET /session": () => [200, session],
      "GET /projects": () => [
        200,
        { items: [{ id: "p", name: "default", created_at: "2031-01-01T00:00:00Z" }] },
      ],
      "GET /clock": () => [200, { mode: "real", lab_at: "2031-01-01T00:00:00Z" }],
      "POST /campaigns/check": () => [200, check(body.toml)],
      "POST /campaigns": create ?? (() => [201, { id: "c1", name: "mine" }]),
    };
    if (request.method === "GET" && path in read)
      return new Response(JSON.stringify(read[path]), { status: 200 });
    if (request.method !== "GET")
      asked.push({ method: request.method, path, body, key: request.headers.get("idempotency-key") });
    const [status, answer] = answers[`${request.method} ${path}`]?.() ?? [404, {}];
    return new Response(JSON.stringify(answer), { status });
  });
  const blobs: string[] = [];
  vi.stubGlobal(
    "XMLHttpRequest",
    class {
      upload: { onprogress?: (told: object) => void } = {};
      status = 201;
      responseText = "";
      onload?: () => void;
      open(method: string, path: string) {
        blobs.push(`${method} ${path}`);
      }
      setRequestHeader() {}
      abort() {}
      send(file: File) {
        this.upload.onprogress?.({ loaded: file.size, total: file.size });
        setTimeout(() => this.onload?.());
      }
    },
  );
  return { asked, blobs };
}

function Made() {
  const { campaignId } = useParams({ strict: false }) as { campaignId?: string };
  return <p>campaign {campaignId}</p>;
}

async function open() {
  const root = createRootRoute({ component: Outlet });
  const page = createRoute({
    getParentRoute: () => root,
    path: "/campaigns/new",
    component: () => (
      <Suspense>
        <WriteCampaign />
        <Link to={"/calendar" as never}>Elsewhere</Link>
      </Suspense>
    ),
  });
  const made = createRoute({
    getParentRoute: () => root,
    path: "/campaigns/$campaignId",
    component: () => <Made />,
  });
  const elsewhere = createRoute({
    getParentRoute: () => root,
    path: "/calendar",
    component: () => <p>elsewhere</p>,
  });
  const router = createRouter({
    routeTree: root.addChildren([page, made, elsewhere]),
    history: createMemoryHistory({ initialEntries: ["/campaigns/new"] }),
  });
  const shown = render(<RouterProvider router={router as never} />, { wrapper: Surroundings });
  return { ...shown, field: (await screen.findByLabelText("Text of the campaign")) as HTMLTextAreaElement };
}

const user = userEvent.setup();
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const genes = new File(["gene\nCBLB\n"], "genes.csv");
const status = () => screen.getByRole("status");
/** As if dropped anywhere on the page. */
function drop(...files: File[]) {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  document.body.dispatchEvent(Object.assign(event, { dataTransfer: { types: ["Files"], files } }));
}

beforeEach(() => {
  sessionStorage.clear();
  vi.stubGlobal("scrollTo", () => {});
});
afterEach(() => vi.unstubAllGlobals());

test("nothing is wrong before anything is written", async () => {
  const { asked } = server();
  await open();
  expect(status()).toHaveTextContent("There is nothing to check yet.");
  expect(screen.queryByRole("alert")).toBeNull();
  expect(button("Create campaign")).toBeDisabled();
  expect(button("Create campaign")).toHaveAccessibleDescription("There is no text yet.");
  expect(asked).toEqual([]);
});

test("a problem has its line, leads to it, and is gone once it is mended", async () => {
  const text = "name = 1\nwells = 0\n";
  server({ check: (toml) => (toml.includes("= 0") ? wrong(2, "controls.wells", "at least 2") : RIGHT) });
  const { field } = await open();
  await user.click(field);
  await user.paste(text);
  const problems = within(await screen.findByRole("list", { name: "Problems" }));
  expect(status()).toHaveTextContent("1 problem");
  expect(field).toHaveAttribute("aria-invalid", "true");
  await user.click(problems.getByRole("button", { name: /2\s*controls.wells\s*at least 2/ }));
  expect(field).toHaveFocus();
  expect(field.selectionStart).toBe(text.indexOf("wells") + 2);
  expect(button("Create campaign")).toHaveAccessibleDescription("The text has 1 problem.");
  await user.clear(field);
  await user.type(field, "wells = 4");
  await waitFor(() => expect(status()).toHaveTextContent("The text is right."));
  expect(screen.queryByRole("list", { name: "Problems" })).toBeNull();
});

test("what will come is said before it is created; then its files are sent, and it is created once", async () => {
  let tries = 0;
  const { asked, blobs } = server({
    create: () =>
      ++tries === 1 ? [503, { code: "db", detail: "Not now." }] : [201, { id: "c1", name: "mine" }],
  });
  const { field } = await open();
  await user.click(field);
  await user.paste("name = 'mine'");
  const coming = within(await screen.findByRole("region", { name: "What will come" }));
  expect(await coming.findByText("at least 1")).toBeInTheDocument();
  expect(coming.getByText("2 different people approve.")).toBeInTheDocument();
  expect(coming.getByText(/by the clock of Europe\/Vienna/)).toBeInTheDocument();
  expect(coming.getByText(/6 Jan, 08:30/)).toBeInTheDocument();
  expect(button("Create campaign")).toHaveAccessibleDescription("genes.csv is missing.");

  drop(genes, new File([""], "notes.txt"));
  expect(await screen.findByText("stored", { exact: false })).toBeInTheDocument();
  expect(screen.getByText("notes.txt")).toBeInTheDocument();
  const digest = blobs[0]?.split("/").at(-1) ?? "";
  expect(blobs).toEqual([`PUT /api/v1/blobs/${digest}`]);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);

  await user.click(button("Create campaign"));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not now.");
  await user.click(button("Create campaign"));
  expect(await screen.findByText("campaign c1")).toBeInTheDocument();
  const created = asked.filter((it) => it.path === "/campaigns");
  expect(created.map((it) => it.body)).toEqual(
    Array(2).fill({ toml: "name = 'mine'", files: { "genes.csv": digest }, project_id: "p" }),
  );
  expect(created[0]?.key).toBe(created[1]?.key);
  expect(sessionStorage).toHaveLength(0);
});

test("what the creation finds in the text stands among the problems", async () => {
  const errors = [{ line: 1, column: 1, path: "name", reason: "taken meanwhile" }];
  server({ create: () => [422, { code: "campaign.invalid", detail: "1 problem", errors }] });
  const { field } = await open();
  await user.click(field);
  await user.paste("name = 'mine'");
  await user.upload(await inputOf("Choose the file for genes.csv"), new File(["gene\n"], "other.csv"));
  await waitFor(() => expect(button("Create campaign")).toBeEnabled());
  expect(screen.getByText("other.csv, 5 bytes")).toBeInTheDocument();
  await user.click(button("Create campaign"));
  expect(await screen.findByRole("button", { name: /taken meanwhile/ })).toBeInTheDocument();
  expect(button("Create campaign")).toBeDisabled();
});

test("the text survives a reload, and leaving with it is asked for", async () => {
  server();
  const first = await open();
  await user.type(first.field, "name");
  first.unmount();
  const { field } = await open();
  expect(field).toHaveValue("name");
  await user.click(screen.getByRole("link", { name: "Elsewhere" }));
  await user.click(await screen.findByRole("button", { name: "Stay" }));
  await user.click(screen.getByRole("link", { name: "Elsewhere" }));
  await user.click(await screen.findByRole("button", { name: "Throw it away" }));
  expect(await screen.findByText("elsewhere")).toBeInTheDocument();
  expect(sessionStorage).toHaveLength(0);
});

test("the example takes the place of a text only after a question", async () => {
  server();
  const { field } = await open();
  await user.type(field, "mine");
  await user.click(button("Start from"));
  await user.click(await screen.findByRole("menuitem", { name: /example/ }));
  await user.click(await screen.findByRole("button", { name: "Replace it" }));
  const now = screen.getByLabelText<HTMLTextAreaElement>("Text of the campaign");
  expect(now.value).toMatch(/^name = "ifng-screen"$/m);
});

test("an earlier campaign gives its text, its project, and its features, and its genes are asked for", async () => {
  const features = { field: "model.features[0]", name: "f.csv" };
  const line = { id: "c0", name: "demo", project_id: "q", created_at: "2031-01-01T00:00:00Z" };
  const { asked } = server({
    check: () => ({ ...RIGHT, files: [...RIGHT.files, features] }),
    read: {
      "/projects": {
        items: [
          { id: "p", name: "default" },
          { id: "q", name: "immune" },
        ],
      },
      "/campaigns": { items: [line] },
      "/campaigns/c0": {
        ...line,
        toml: "name = 'demo'\n",
        features: ["f".repeat(64)],
        priors: [],
        spec: { ...SPEC, model: { features: ["f.csv"], priors: [] } },
      },
    },
  });
  await open();
  await user.click(button("Start from"));
  await user.click(await screen.findByRole("menuitem", { name: /earlier/ }));
  await user.click(await screen.findByRole("combobox", { name: "Campaign" }));
  await user.click(await screen.findByRole("option", { name: /^demo/ }));
  await user.click(button("Start from it"));
  expect(await screen.findByText("with demo")).toBeInTheDocument();
  expect(screen.getByText(/give the file once more/)).toBeInTheDocument();
  expect(screen.getByRole("combobox", { name: "Project" })).toHaveValue("immune");
  expect(button("Create campaign")).toHaveAccessibleDescription("genes.csv is missing.");
  expect(asked.at(-1)?.body).toEqual({ toml: "name = 'demo'\n", project_id: "q" });
});

test("whoever may not create campaigns sees why", async () => {
  server({ session: { ...SESSION, scopes: ["read"] } });
  const root = createRootRoute({
    component: () => (
      <Suspense>
        <WriteCampaign />
      </Suspense>
    ),
  });
  const router = createRouter({ routeTree: root, history: createMemoryHistory() });
  render(<RouterProvider router={router as never} />, { wrapper: Surroundings });
  expect(await screen.findByText(/created by an engineer/)).toBeInTheDocument();
});

test("a page over plain http says why files cannot be sent", async () => {
  server();
  vi.stubGlobal("crypto", { randomUUID: () => "k" });
  const { field } = await open();
  await user.click(field);
  await user.paste("name = 'mine'");
  expect(await screen.findByText(/It came over plain http/)).toBeInTheDocument();
  await waitFor(() => expect(button("Choose the file for genes.csv")).toBeDisabled());
});

/** The field behind a button that chooses files. */
async function inputOf(name: string): Promise<HTMLInputElement> {
  const row = (await screen.findByRole("button", { name })).closest("li");
  const input = row?.querySelector("input[type=file]");
  if (!(input instanceof HTMLInputElement)) throw new Error("a button without a field");
  return input;
}

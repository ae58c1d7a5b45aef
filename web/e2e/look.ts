// Not a test: takes a picture of every page in every width, in light and dark, and measures what a machine can see
// of it. For whoever then looks at the pictures:
//
//   E2E_FOLDER=<folder of a running demo> [E2E_APP=http://...] node e2e/look.ts OUT [variant ...] [-- page ...]
//
// Variants: data (as it is), empty (nothing in any list), error (every read fails), long (names too long for anything).

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page, type Route } from "@playwright/test";
import { ask, people, start } from "./laboratory.ts";
import { faultsOf, ringsOf } from "./look-faults.ts";

type Variant = "data" | "empty" | "error" | "long";
type Place = { name: string; path: string; role: string; only?: Variant[]; as?: (json: Json) => Json };

const WIDTHS = { 768: 1024, 1280: 800, 1920: 1080 };
const SCHEMES = ["light", "dark"] as const;

const said = process.argv.slice(2);
const cut = said.indexOf("--");
const [out = "/tmp/look", ...variants] = cut < 0 ? said : said.slice(0, cut);
const wanted = cut < 0 ? [] : said.slice(cut + 1);

const { lab } = await start();
process.env.LOOPWRIGHT_E2E = JSON.stringify(lab);
const browser = await chromium.launch({
  executablePath: process.env.CHROME ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
});
const found: string[] = [];
async function look(variant: Variant) {
  const folder = join(out, variant);
  mkdirSync(folder, { recursive: true });
  const pages = new Map<string, Page>();
  for (const place of await places()) {
    if (wanted.length > 0 && !wanted.includes(place.name)) continue;
    if (place.only && !place.only.includes(variant)) continue;
    const page = pages.get(place.role) ?? (await signedIn(place.role));
    pages.set(place.role, page);
    await page.unrouteAll();
    await page.route("**/api/v1/**", (route) => answerAs(variant, route));
    if (place.as) await page.route(`**/api/v1${place.path}`, (route) => answerChanged(place, route));
    await page.goto(lab.app + place.path);
    await settled(page, variant);
    for (const [width, height] of Object.entries(WIDTHS)) {
      await page.setViewportSize({ width: Number(width), height });
      for (const scheme of SCHEMES) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        const shot = `${place.name}-${width}-${scheme}`;
        await drawn(page, scheme);
        await page.screenshot({ path: join(folder, `${shot}.png`), fullPage: true });
        for (const fault of await faultsOf(page)) found.push(`${variant} ${shot}: ${fault}`);
      }
    }
    if (variant === "data")
      for (const fault of await ringsOf(page)) found.push(`rings ${place.name}: ${fault}`);
    console.log(variant, place.name);
  }
  for (const page of pages.values()) await page.context().close();
}

/** Every page there is, with something to see on it where the laboratory has it. */
async function places(): Promise<Place[]> {
  const api = (path: string) => ask(lab, `/api/v1${path}`);
  const first = async (path: string, which: (it: Json) => boolean = () => true) =>
    ((await api(path)) as { items: Json[] }).items.find(which)?.id as string | undefined;
  const campaign = await first("/campaigns?limit=1000", (it) => it.name === "demo");
  const nowhere = "01900000-0000-7000-8000-000000000000";
  const jobs: Place[] = [];
  for (const [name, query] of [
    ["dispense", "kind=dispense"],
    ["read", "kind=read"],
    ["train", "kind=train"],
  ]) {
    const id = await first(`/jobs?limit=100&${query}`);
    if (id) jobs.push({ name: `job-${name}`, path: `/jobs/${id}`, role: "engineer" });
    if (id && name === "dispense")
      jobs.push({ name: "job-doubt", path: `/jobs/${id}`, role: "engineer", only: ["data"], as: doubted });
  }
  const plates: Place[] = [];
  const passed = await first("/plates?limit=100&state=passed");
  if (passed) {
    const path = `/plates/${passed}`;
    plates.push({ name: "plate", path, role: "scientist" });
    plates.push({ name: "plate-quarantined", path, role: "scientist", only: ["data"], as: quarantined });
  }
  const stock: Place[] = [];
  for (const role of ["library", "assay"]) {
    const { items } = (await api(`/inventory/plates?limit=1&role=${role}`)) as { items: Json[] };
    const path = `/stock/${items[0]?.barcode}`;
    if (items[0]) stock.push({ name: `stock-${role}`, path, role: "operator" });
  }
  const batch = await first("/batches?limit=100");
  const planned = await first("/batches?limit=100&state=planned");
  return [
    { name: "sign-in", path: "/sign-in", role: "nobody" },
    { name: "home", path: "/", role: "engineer" },
    { name: "campaigns", path: "/campaigns", role: "engineer" },
    { name: "campaign", path: `/campaigns/${campaign}`, role: "engineer" },
    { name: "campaign-new", path: "/campaigns/new", role: "engineer" },
    { name: "batches", path: "/batches", role: "engineer" },
    ...(batch ? [{ name: "batch", path: `/batches/${batch}`, role: "engineer" }] : []),
    ...(planned ? [{ name: "batch-planned", path: `/batches/${planned}`, role: "engineer" }] : []),
    { name: "calendar", path: "/calendar", role: "engineer" },
    { name: "plates", path: "/plates", role: "engineer" },
    ...plates,
    { name: "stock", path: "/stock", role: "operator" },
    { name: "stock-sources", path: "/stock?tab=sources", role: "operator" },
    { name: "stock-reagents", path: "/stock?tab=reagents", role: "operator" },
    { name: "stock-blanks", path: "/stock?tab=blanks", role: "operator" },
    ...stock,
    { name: "jobs", path: "/jobs", role: "engineer" },
    ...jobs,
    { name: "instruments", path: "/instruments", role: "engineer" },
    { name: "tasks", path: "/tasks?all=true", role: "engineer" },
    { name: "by-hand", path: "/by-hand", role: "operator" },
    { name: "by-hand-busy", path: "/by-hand", role: "operator", only: ["data"], as: busy },
    { name: "events", path: "/events", role: "engineer" },
    { name: "tokens", path: "/tokens", role: "engineer" },
    { name: "account", path: "/account", role: "engineer" },
    { name: "users", path: "/users", role: "admin" },
    { name: "projects", path: "/projects", role: "admin" },
    { name: "channels", path: "/channels", role: "admin" },
    { name: "new-password", path: "/new-password", role: "engineer", only: ["data"] },
    { name: "missing-page", path: "/no-such-page", role: "engineer", only: ["data"] },
    { name: "missing-job", path: `/jobs/${nowhere}`, role: "engineer", only: ["data"] },
  ];
}

const doubted = (job: Json): Json => ({
  ...job,
  state: "in_doubt",
  settled_at: null,
  in_doubt: {
    attempt: 1,
    since: new Date(Date.now() - 1_200_000).toISOString(),
    known: { last_progress: { fraction: 0.4, message: "transfer 90 of 224" }, device_run: "run-00017" },
  },
});

const quarantined = (plate: Json): Json => ({
  ...plate,
  state: "quarantined",
  reason: "Z'-factor 0.12 is below 0.4; the negative control drifts by 31 % from left to right",
});

/** One that waits, one with two plates in somebody's hands who is asked to stop. */
const busy = (): Json => {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const plate = (n: number, at: Json | null) => ({ barcode: `ASY-000${n}`, labware: "corning_384", at });
  const step: Json = {
    id: "01900000-0000-7000-8000-000000000001",
    state: "ready",
    instruction: "Seal the plate with a breathable foil, and put it back on the deck.",
    plates: [plate(1, { device: "handler-1", slot: "4" })],
    campaign_id: "01900000-0000-7000-8000-000000000009",
    campaign: "demo",
    round: 2,
    plate_id: null,
    since: ago(12),
    deadline_lab_at: ago(-90),
    taken_by: null,
    taken_by_id: null,
    answer_by: null,
    attempt: 1,
  };
  const held: Json = {
    ...step,
    id: "01900000-0000-7000-8000-000000000002",
    state: "stopping",
    instruction: "Spin both plates at 300 g for one minute. ".repeat(10),
    plates: [plate(2, null), plate(3, { device: "incubator-1", slot: "17" })],
    taken_by: "rosa",
    taken_by_id: "01900000-0000-7000-8000-000000000003",
    answer_by: ago(-25),
  };
  return { items: [step, held] };
};

async function signedIn(role: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  if (role === "nobody") return page;
  const person = people(lab)[role];
  if (!person) throw new Error(`the demo has nobody in the role ${role}`);
  await page.goto(`${lab.app}/sign-in`);
  await page.getByLabel("Name").fill(person.name);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
  return page;
}

/** Nothing is on its way any more. */
async function settled(page: Page, variant: Variant) {
  await page.locator("h1, [role=alert]").first().waitFor({ timeout: 20_000 });
  // A failed read is tried again for a while before it is called failed.
  const patience = variant === "error" ? 2_000 : 12_000;
  await page
    .waitForFunction(() => !document.querySelector("main .mantine-Skeleton-root"), undefined, {
      timeout: patience,
    })
    .catch(() => found.push(`${page.url()}: bones stay`));
}

/** The page has taken on the colours and the width, and its charts are redrawn. */
async function drawn(page: Page, scheme: "light" | "dark") {
  await page.waitForFunction((name) => document.documentElement.dataset.mantineColorScheme === name, scheme);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500))));
}

type Json = { [key: string]: unknown };

async function answerChanged(place: Place, route: Route) {
  const answered = await route.fetch();
  const json = (await answered.json()) as Json;
  return route.fulfill({ response: answered, json: place.as?.(json) ?? json });
}

async function answerAs(variant: Variant, route: Route) {
  const request = route.request();
  const path = new URL(request.url()).pathname.replace("/api/v1", "");
  const plain = request.method() !== "GET" || /^\/(session|events\/stream|clock)/.test(path);
  if (variant === "data" || plain) return route.continue();
  if (variant === "error") {
    const problem = {
      title: "Internal Server Error",
      status: 500,
      code: "internal.defect",
      detail: "The server met a defect. It is in its log under the id of this request; tell whoever runs it.",
    };
    return route.fulfill({
      status: 500,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    });
  }
  const answered = await route.fetch().catch(() => null);
  if (!answered) return route.abort().catch(() => undefined);
  if (!answered.ok()) return route.fulfill({ response: answered });
  const json: unknown = await answered.json();
  return route.fulfill({ response: answered, json: variant === "empty" ? emptied(json) : lengthened(json) });
}

/** Lists without anything in them; what is no list stays. */
function emptied(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  if (typeof value !== "object" || value === null || !("items" in value)) return value;
  return {
    ...value,
    ...Object.fromEntries(Object.keys(value).map((key) => [key, emptyOf((value as Json)[key])])),
  };
}
const emptyOf = (value: unknown) => (Array.isArray(value) ? [] : null);

const NAMES =
  /^(name|display_name|campaign|project|barcode|perturbation|actor|author|worker|taken_by|instrument|by|target|decided_by|created_by)$/;
const SENTENCES =
  /^(reason|message|instruction|detail|text|why|why_not|goal|model_because|comment|closed_reason|remark)$/;
const LONG =
  "Interferon-gamma regulators in primary CD4+ T cells of donor 17, arrayed knock-out, second confirmation";
const UNBROKEN = "CRISPRko_NFKB1_RELA_TNFRSF1A_TRAF6_IRAK4_MYD88_quadruple_confirmation";

/** Names as people give them in the end: too long for any column. */
function lengthened(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((it, at) => lengthened(it, key || String(at)));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, lengthened(it, name)]));
  }
  if (typeof value !== "string" || value === "") return value;
  if (key === "perturbation" || key === "barcode") return `${value}_${UNBROKEN}`;
  if (NAMES.test(key)) return `${value} ${LONG}`;
  return SENTENCES.test(key) ? `${value} ${LONG}. ${LONG}: ${UNBROKEN}.` : value;
}

try {
  for (const variant of (variants.length > 0 ? variants : ["data"]) as Variant[]) await look(variant);
} finally {
  await browser.close();
  writeFileSync(join(out, "found.txt"), `${found.join("\n")}\n`);
}
console.log(`${found.length} lines in ${join(out, "found.txt")}`);

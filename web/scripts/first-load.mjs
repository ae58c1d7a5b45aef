// Says how much a browser loads before the first page shows, gzipped, from web/dist.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const page = await readFile(new URL("index.html", dist), "utf8");
const linked = [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name);
const chunks = new Set(linked);

// The sign-in page's and the home page's own parts, with what they import.
async function follow(name) {
  const text = await readFile(new URL(name, dist), "utf8");
  for (const [, imported] of text.matchAll(/from"\.\/([^"]+\.js)"/g)) {
    const chunk = `assets/${imported}`;
    if (!chunks.has(chunk)) {
      chunks.add(chunk);
      await follow(chunk);
    }
  }
}
for (const name of linked.filter((it) => it.endsWith(".js"))) await follow(name);

let total = gzipSync(page, { level: 9 }).length;
console.log(`${String(total).padStart(8)}  index.html`);
for (const name of [...chunks].sort()) {
  const size = gzipSync(await readFile(new URL(name, dist)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${name}`);
}
console.log(`${String(total).padStart(8)}  bytes gzipped before the first page`);

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCES = join(import.meta.dirname, "..");
const MANTINE = join(SOURCES, "../node_modules/@mantine/core/styles");

const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".tsx"),
);

function componentsUsed(): Set<string> {
  const used = new Set<string>();
  for (const name of sources) {
    const text = readFileSync(join(SOURCES, name), "utf8");
    for (const [, names] of text.matchAll(/import \{([^}]+)\} from "@mantine\/core"/g)) {
      for (const one of names?.split(",") ?? []) used.add(one.replace("type ", "").trim());
    }
    // Parts with styles of their own: `Radio.Card` is RadioCard.css.
    for (const [, whole, part] of text.matchAll(/<([A-Z]\w+)\.([A-Z]\w+)/g)) used.add(`${whole}${part}`);
  }
  return used;
}

test("every component that is used has its styles in the first load", () => {
  const styles = readFileSync(join(SOURCES, "app/mantine.css"), "utf8");
  const used = componentsUsed();
  expect(used.size).toBeGreaterThan(20);
  const missing = [...used].filter(
    (name) => existsSync(join(MANTINE, `${name}.css`)) && !styles.includes(`/styles/${name}.css`),
  );
  expect(missing).toEqual([]);
});

test("no script is inline: the server's policy would not run it", () => {
  const page = readFileSync(join(SOURCES, "../index.html"), "utf8");
  const scripts = [...page.matchAll(/<script([^>]*)>([^<]*)<\/script>/g)];
  expect(scripts.length).toBe(2);
  for (const [, attributes, body] of scripts) {
    expect(attributes).toMatch(/ src="\//);
    expect(body).toBe("");
  }
  expect(page).not.toMatch(/ on[a-z]+=/);
});

test("no secret is kept where scripts of other pages could find it", () => {
  const keepers = sources.filter((name) =>
    /localStorage|document\.cookie/.test(readFileSync(join(SOURCES, name), "utf8")),
  );
  expect(keepers.filter((name) => name !== "main.tsx")).toEqual([]);
});

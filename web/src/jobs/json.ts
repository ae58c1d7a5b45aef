/** One line of a payload, indented by its depth; for people, so long lists are cut. */
export type Line = { path: string; depth: number; name: string; text: string | null; more: number };

const SHOWN = 12;

/** Flattens any JSON into lines that can be read and copied. */
export function lines(value: unknown, name = "", depth = 0, path = "$"): Line[] {
  if (Array.isArray(value)) {
    if (value.every((it) => typeof it !== "object" || it === null)) {
      const text = value.slice(0, SHOWN).map(plainText).join(", ");
      return [{ path, depth, name, text: text || "none", more: Math.max(0, value.length - SHOWN) }];
    }
    const head: Line = { path, depth, name, text: null, more: 0 };
    const items = value
      .slice(0, SHOWN)
      .flatMap((it, at) => lines(it, String(at + 1), depth + 1, `${path}[${at}]`));
    const rest = value.length - SHOWN;
    const tail: Line[] =
      rest > 0 ? [{ path: `${path}[…]`, depth: depth + 1, name: "…", text: "", more: rest }] : [];
    return [head, ...items, ...tail];
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([key, it]) =>
      lines(it, key, name ? depth + 1 : depth, `${path}.${key}`),
    );
    return name ? [{ path, depth, name, text: null, more: 0 }, ...entries] : entries;
  }
  return [{ path, depth, name, text: plainText(value), more: 0 }];
}

const plainText = (value: unknown) => (value === null || value === undefined ? "none" : String(value));

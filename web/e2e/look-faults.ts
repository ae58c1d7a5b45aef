// What a machine can see of a page: text that is too faint, cut off, or out of the picture; things without a name;
// the focus that does not show. What it cannot see, people look for in the pictures.

import type { Page } from "@playwright/test";

/** Faults of the page as it stands, one line each. */
export const faultsOf = (page: Page): Promise<string[]> => page.evaluate(inPage);

function inPage(): string[] {
  type Colour = [number, number, number, number];
  const faults = new Set<string>();
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const seen = new Map<string, Colour>();
  const colour = (text: string): Colour => {
    const known = seen.get(text);
    if (known || !pen) return known ?? [0, 0, 0, 0];
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = pen.getImageData(0, 0, 1, 1).data;
    const made: Colour = [r, g, b, a / 255];
    seen.set(text, made);
    return made;
  };
  const over = (top: Colour, below: Colour): Colour => {
    const mix = (at: 0 | 1 | 2) => top[at] * top[3] + below[at] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const luminance = ([r, g, b]: Colour) => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((it) => {
      const c = it / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a: Colour, b: Colour) => {
    const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    return (hi + 0.05) / (lo + 0.05);
  };
  const remembered = <T>(look: (element: Element | null) => T) => {
    const known = new Map<Element | null, T>();
    return (element: Element | null): T => {
      const found = known.get(element);
      if (found !== undefined) return found;
      const made = look(element);
      known.set(element, made);
      return made;
    };
  };
  const ground: (element: Element | null) => Colour = remembered((element) => {
    if (!element)
      return colour(getComputedStyle(document.documentElement).getPropertyValue("--lw-ground") || "#fff");
    const own = colour(getComputedStyle(element).backgroundColor);
    return own[3] >= 0.999 ? own : over(own, ground(element.parentElement));
  });
  const opacity: (element: Element | null) => number = remembered((element) =>
    element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1,
  );
  const words = (element: Element) => (element.textContent ?? "").replace(/\s+/g, " ").trim().slice(0, 50);
  const isShown = (element: Element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && style.clipPath === "none";
  };
  const isOff = (element: Element) =>
    element.closest("[aria-hidden=true], :disabled, [aria-disabled=true], [data-disabled]") !== null;

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) faults.add(`the page is ${wide} px wider than the window`);

  for (const element of document.querySelectorAll("body *")) {
    if (element instanceof SVGElement && element.tagName !== "text") continue;
    if (!isShown(element)) continue;
    const own = [...element.childNodes].some(
      (it) => it.nodeType === Node.TEXT_NODE && it.textContent?.trim(),
    );
    if (!own) continue;
    const style = getComputedStyle(element);
    if (!isOff(element)) {
      const back = ground(element);
      const ink = colour(element instanceof SVGElement ? style.fill : style.color);
      const shown = over([ink[0], ink[1], ink[2], ink[3] * opacity(element)], back);
      const size = Number.parseFloat(style.fontSize);
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      const has = ratio(shown, back);
      if (has < needed) faults.add(`faint (${has.toFixed(2)}): "${words(element)}"`);
    }
    const cut = element.scrollWidth > element.clientWidth + 1 && style.overflowX !== "visible";
    if (
      cut &&
      style.overflowX === "hidden" &&
      !element.closest("[title]") &&
      !element.querySelector("[title]")
    ) {
      faults.add(`cut off and nowhere whole: "${words(element)}"`);
    }
    const box = element.getBoundingClientRect();
    const scrolls = element.closest("[style*=overflow], [class*=box], [class*=scroll], [class*=wide]");
    if (box.right > innerWidth + 1 && !scrolls) faults.add(`out of the picture: "${words(element)}"`);
  }
  for (const element of document.querySelectorAll(
    "a[href], button, input, textarea, select, [role=button]",
  )) {
    if (!isShown(element)) continue;
    const field = element as HTMLInputElement;
    const label = [...(field.labels ?? [])].map((it) => it.textContent).join("");
    const by = (element.getAttribute("aria-labelledby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id));
    const name =
      element.getAttribute("aria-label") ||
      by.map((it) => it?.textContent ?? "").join("") ||
      label ||
      element.textContent?.trim() ||
      element.getAttribute("title");
    if (!name) faults.add(`has no name: ${element.outerHTML.slice(0, 90)}`);
    const box = element.getBoundingClientRect();
    const inText = element.tagName === "A" && getComputedStyle(element).display === "inline";
    const labelled = field.labels && field.labels.length > 0;
    if (!inText && !labelled && (box.width < 20 || box.height < 16))
      faults.add(`small (${Math.round(box.width)} x ${Math.round(box.height)}): "${name}"`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
  for (const id of new Set(ids.filter((it, at) => ids.indexOf(it) !== at)))
    faults.add(`twice in the page: #${id}`);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")]
    .filter(isShown)
    .map((it) => Number(it.tagName[1]));
  if (levels.filter((it) => it === 1).length !== 1)
    faults.add(`${levels.filter((it) => it === 1).length} headings h1`);
  levels.forEach((level, at) => {
    if (at > 0 && level > (levels[at - 1] ?? 1) + 1)
      faults.add(`a heading h${level} after h${levels[at - 1]}`);
  });
  return [...faults];
}

/** Goes through the page with the tab key: what takes the focus without showing it. */
export async function ringsOf(page: Page, steps = 60): Promise<string[]> {
  const faults = new Set<string>();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let step = 0; step < steps; step++) {
    await page.keyboard.press("Tab");
    const told = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const rings = (it: Element) => {
        const style = getComputedStyle(it);
        const outline = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0;
        return outline || style.boxShadow !== "none";
      };
      const field = element.matches("input, textarea");
      const border = field && getComputedStyle(element).borderColor;
      const box = element.getBoundingClientRect();
      const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
      const next = element.nextElementSibling;
      const shows = rings(element) || (field && (Boolean(border) || (next !== null && rings(next))));
      const what = `${element.tagName.toLowerCase()} "${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40)}"`;
      if (!shows) return `no ring: ${what}`;
      return inside || box.width === 0 ? "" : `focused out of sight: ${what}`;
    });
    if (told === null) break;
    if (told) faults.add(told);
  }
  return [...faults];
}

import { describe, expect, test } from "vitest";
import { coloursOf, domainAround, domainOf, inkOn, makeScale } from "./scale.ts";

/** Relative luminance (WCAG 2). */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("a scale", () => {
  test("gets lighter all the way, so that it is read without colours", () => {
    const steps = Array.from({ length: 50 }, (_, at) => luminance(makeScale("sequential", 0, 49).colour(at)));
    for (const [at, light] of steps.entries()) if (at > 0) expect(light).toBeGreaterThan(steps[at - 1] ?? 0);
  });

  test.each([
    [false, 1],
    [true, -1],
  ])("that diverges has its middle furthest from its ends (dark: %s)", (dark, sign) => {
    const lights = coloursOf("diverging", dark).map((it) => sign * luminance(it));
    const middle = lights[4] ?? 0;
    for (const light of [...lights.slice(0, 4), ...lights.slice(5)]) expect(light).toBeLessThan(middle);
  });

  test("has its ends' colours beyond its ends, and none that is no colour", () => {
    const scale = makeScale("sequential", 2, 4);
    expect(scale.colour(-10)).toBe("#440154");
    expect(scale.colour(10)).toBe("#fde725");
    expect(makeScale("sequential", 3, 3).colour(3)).toMatch(/^#[0-9a-f]{6}$/);
  });

  test("is not stretched by one wild well", () => {
    const values = [...Array.from({ length: 199 }, (_, at) => at / 199), 1e6];
    expect(domainOf(values)[1]).toBeLessThan(1.1);
    expect(domainOf([])).toEqual([0, 1]);
    expect(domainOf([5, 5, 5])).toEqual([4.5, 5.5]);
  });

  test("around a middle reaches as far to both sides", () => {
    expect(domainAround(0, [-0.5, 2])).toEqual([-2, 2]);
  });

  test("writes black on light and white on dark", () => {
    expect(inkOn("#fde725")).toBe("#10201c");
    expect(inkOn("#440154")).toBe("#ffffff");
  });
});

import { afterEach } from "vitest";

// What Mantine asks of a browser and jsdom does not have. Most tests run without a document, and need none of it.
if (typeof window !== "undefined") {
  await import("@testing-library/jest-dom/vitest");
  const { cleanup } = await import("@testing-library/react");
  afterEach(cleanup);
  window.matchMedia ??= (query: string) =>
    ({
      matches: false,
      media: query,
      onchange: null,
      addEventListener: () => {},
      removeEventListener: () => {},
      addListener: () => {},
      removeListener: () => {},
      dispatchEvent: () => false,
    }) as MediaQueryList;
  window.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  Element.prototype.scrollIntoView ??= () => {};
  const fonts = { addEventListener: () => {}, removeEventListener: () => {} };
  if (!document.fonts) Object.defineProperty(document, "fonts", { value: fonts });
}

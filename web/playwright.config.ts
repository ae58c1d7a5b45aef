import { defineConfig } from "@playwright/test";

// The real binary with its own PostgreSQL, started by e2e/laboratory.ts on a folder and a port of its own; the
// browser is the system's (CHROME, else Debian's chromium): Playwright's own is not downloaded.
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e-results",
  globalSetup: "./e2e/global-setup.ts",
  workers: 1,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: process.env.E2E_REPORT
    ? [["list"], ["json", { outputFile: process.env.E2E_REPORT }]]
    : [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: {
      executablePath: process.env.CHROME ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    },
  },
});

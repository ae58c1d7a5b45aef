import { fileURLToPath } from "node:url";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { towardsServer } from "./dev/towards-server.ts";

// `npm run dev` and `npm run preview` talk to the server named by LOOPWRIGHT_SERVER; see dev/towards-server.ts.
export default defineConfig({
  plugins: [
    tanstackRouter({
      target: "react",
      autoCodeSplitting: true,
      routeFileIgnorePattern: "\\.test\\.",
      quoteStyle: "double",
      semicolons: true,
    }),
    react(),
    towardsServer(process.env),
  ],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    sourcemap: false,
    // Charts are one lazy chunk of their own; everything else is well below.
    chunkSizeWarningLimit: 650,
    modulePreload: { polyfill: false },
    // A strict content security policy allows no data: fonts or scripts; nothing is inlined.
    assetsInlineLimit: 0,
  },
  test: {
    // A document costs seconds to make: only tests of components (.test.tsx) ask for one, in their first line.
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/tests/setup.ts"],
    restoreMocks: true,
    // A test that hangs ends; a machine that also builds Rust may take its time.
    testTimeout: 20_000,
  },
});

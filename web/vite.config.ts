import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const service = process.env.AUTOTUNER_SERVICE ?? "http://127.0.0.1:8700";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/autotuner/web_ui",
    emptyOutDir: true,
    // The content security policy allows no data: scripts, and fonts stay files.
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: {
    host: "127.0.0.1",
    // Tests read the examples beside this folder.
    fs: { allow: [".."] },
    proxy: { "/api": { target: service, changeOrigin: true } },
  },
  test: {
    testTimeout: 20_000,
    // By itself it leaves a core idle, which is half of a machine with two.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: { name: "logic", include: ["src/**/*.test.ts"], environment: "node" },
      },
      {
        extends: true,
        test: {
          name: "pages",
          include: ["src/**/*.test.tsx"],
          environment: "jsdom",
          setupFiles: ["src/testing.ts"],
        },
      },
    ],
  },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const BACKEND = process.env["PLAQUEVIEW_BACKEND"] ?? "http://127.0.0.1:8000";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/web/" : "/",
  plugins: [react()],
  build: {
    outDir: "../platform/plaqueview/web",
    emptyOutDir: true,
    target: "es2022",
    // A strict Content-Security-Policy allows no data: address, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    manifest: true,
  },
  worker: { format: "es" },
  optimizeDeps: {
    // Their workers and wasm files are found by relative address, which pre-bundling breaks.
    exclude: ["@cornerstonejs/dicom-image-loader", "@cornerstonejs/metadata"],
    include: ["events", "dicom-parser"],
  },
  server: {
    proxy: Object.fromEntries(["/api", "/_allauth", "/dicom-web"].map((path) => [path, BACKEND])),
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
}));

import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const BACKEND = process.env["PLAQUEVIEW_BACKEND"] ?? "http://127.0.0.1:8000";

const slim = (name: string) => fileURLToPath(new URL(`src/viewport/slim/${name}.ts`, import.meta.url));

const TEXT_BOX = "/drawingSvg/drawTextBox.js";
const STYLE_ATTRIBUTE = "textElement.setAttribute('style', combinedStyle)";

/** Cornerstone gives measurements a style attribute, which the Content-Security-Policy refuses; set through the CSSOM it is allowed. */
const strictStyles: Plugin = {
  name: "strict-styles",
  transform(code, id) {
    if (!id.endsWith(TEXT_BOX)) return null;
    if (!code.includes(STYLE_ATTRIBUTE)) throw new Error(`${id} has no ${STYLE_ATTRIBUTE} any more; see whether its text still passes the policy.`);
    return { code: code.replace(STYLE_ATTRIBUTE, "textElement.style.cssText = combinedStyle"), map: null };
  },
};

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/web/" : "/",
  plugins: [react(), strictStyles],
  resolve: {
    // Only the parts that are called; a part that is missing fails the build, not the page.
    alias: [
      { find: /^@cornerstonejs\/metadata$/, replacement: slim("metadata") },
      { find: /^dcmjs$/, replacement: slim("dcmjs") },
      { find: /^@kitware\/vtk\.js\/IO\/XML\/XMLPolyDataReader\.js$/, replacement: slim("xml_mesh_reader") },
      { find: /^@kitware\/vtk\.js\/Rendering\/(OpenGL|Profiles)\/.*$/, replacement: slim("opengl") },
      { find: /^\.\/utilities\/renderingCapabilities\.js$/, replacement: slim("rendering_capabilities") },
    ],
  },
  build: {
    outDir: "../platform/plaqueview/web",
    emptyOutDir: true,
    target: "es2022",
    // A strict Content-Security-Policy allows no data: address, so nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    manifest: true,
  },
  server: {
    proxy: Object.fromEntries(["/api", "/_allauth", "/dicom-web"].map((path) => [path, BACKEND])),
  },
  // A machine under load takes its time; what does not come at all is told by what waits for it.
  test: { setupFiles: ["tests/setup.ts"], include: ["tests/**/*.test.{ts,tsx}"], environment: "node", testTimeout: 60_000 },
}));

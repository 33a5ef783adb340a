/** Fails when the JavaScript that a reader waits for before the first slice is larger than its budget, gzipped. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const WEB = new URL("../../platform/plaqueview/web/", import.meta.url);
const BUDGET_BYTES = 1_000_000;

/** The page, the study page, and what draws its slices; gestures come after the first slice. */
const BEFORE_FIRST_SLICE = ["index.html", "src/start.tsx", "src/pages/study_page.tsx", "src/viewport/reading_view.tsx"];

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", WEB), "utf8"));
const chunks = new Set();

function collect(name) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`The build has no chunk ${name}; found ${Object.keys(manifest).join(", ")}.`);
  if (chunks.has(chunk.file)) return;
  chunks.add(chunk.file);
  for (const imported of chunk.imports ?? []) collect(imported);
}

for (const name of BEFORE_FIRST_SLICE) collect(name);
const bytes = [...chunks].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, WEB))).length, 0);
console.log(`✓ JavaScript before the first slice: ${Math.round(bytes / 1e3)} kB of ${BUDGET_BYTES / 1e3} kB, gzipped, in ${chunks.size} files`);
if (bytes > BUDGET_BYTES) process.exit(1);

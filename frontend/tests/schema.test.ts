import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

// Seconds of work, which other processes may stretch; by default a test has five.
const LIMIT_MS = 60_000;
const HERE = new URL("../", import.meta.url);

it("the types of the HTTP interface are those of openapi.json; `npm run generate` writes them anew", async () => {
  const types = astToString(await openapiTS(new URL("openapi.json", HERE)));
  const committed = readFileSync(new URL("src/server/schema.d.ts", HERE), "utf8");

  expect(committed.endsWith(types)).toBe(true);
}, LIMIT_MS);

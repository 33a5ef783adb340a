import { describe, expect, it } from "vitest";

import { PixelError } from "../src/geometry/pixels";
import { firstPart } from "../src/server/multipart";
import { pixelFormatOf, type DicomJson } from "../src/server/pixel_format";
import { problemOf } from "../src/server/problem";
import { batchesOf } from "../src/server/uploads";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("the first part of an answer", () => {
  const answer = bytesOf("--b\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--pixels\r\n--b--\r\n");

  it("is what stands between its header and the next boundary", () => {
    expect(textOf(firstPart(answer, 'multipart/related; type="application/octet-stream"; boundary=b'))).toBe("\r\n--pixels");
    expect(textOf(firstPart(answer, 'multipart/related; boundary="b"'))).toBe("\r\n--pixels");
  });

  it("is all of it when the answer has no parts", () => {
    expect(textOf(firstPart(bytesOf("pixels"), "application/octet-stream"))).toBe("pixels");
  });

  it("is refused when the boundary is never there", () => {
    expect(() => firstPart(answer, "multipart/related; boundary=other")).toThrow("no part of other");
  });
});

describe("the pixel format", () => {
  const value = (found: unknown) => ({ vr: "US", Value: [found] });
  const classic: DicomJson = {
    "00280002": value(1), "00280004": value("MONOCHROME2"), "00280010": value(256), "00280011": value(192), "00280100": value(16), "00280101": value(12),
    "00280103": value(0), "00281052": value("-5"), "00281053": value(2),
  };

  it("is read from an instance's own attributes", () => {
    expect(pixelFormatOf(classic, 1)).toEqual({
      rows: 256, columns: 192, bitsAllocated: 16, bitsStored: 12, isSigned: false, slope: 2, intercept: -5, isInverted: false,
    });
  });

  it("takes the rescale of its own frame from an enhanced instance", () => {
    const rescale = (slope: number) => ({ "00289145": value({ "00281052": value(0), "00281053": value(slope) }) });
    const enhanced = { ...classic, "52009230": { vr: "SQ", Value: [rescale(3), rescale(4)] } };

    expect(pixelFormatOf(enhanced, 2).slope).toBe(4);
  });

  it.each([
    ["colour", { "00280002": value(3) }],
    ["32 bits", { "00280100": value(32) }],
    ["no rows", { "00280010": { vr: "US" } }],
  ])("is refused for %s", (_, change) => {
    expect(() => pixelFormatOf({ ...classic, ...change }, 1)).toThrow(PixelError);
  });
});

describe("an upload", () => {
  const named = (path: string, size = 1) => ({ path, file: { size } as File });

  it("keeps the order and cuts after 500 files", () => {
    const files = Array.from({ length: 501 }, (_, index) => named(String(index)));

    expect(batchesOf(files).map((batch) => [batch[0]?.path, batch.length])).toEqual([["0", 500], ["500", 1]]);
  });

  it("sends a file above the limit alone", () => {
    const batches = batchesOf([named("a"), named("b", 2 ** 30), named("c")]);

    expect(batches.map((batch) => batch.map(({ path }) => path))).toEqual([["a"], ["b"], ["c"]]);
  });
});

describe("a problem", () => {
  it("keeps the server's words", () => {
    const problem = problemOf(409, { title: "Conflict", detail: "The job is over.", code: "job_finished", errors: [{ field: "state", detail: "failed" }] });

    expect([problem.title, problem.message, problem.code, problem.fields]).toEqual([
      "Conflict", "The job is over.", "job_finished", [{ field: "state", detail: "failed" }],
    ]);
  });

  it("is told by its status where the server said nothing", () => {
    expect(problemOf(502, null).message).toBe("It answered with HTTP status 502.");
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { decodeMask, encodeMask, MaskCodecError } from "../src/geometry/mask_codec";

interface Vector {
  name: string;
  shape: [number, number, number];
  runs: [value: number, length: number][];
  hex: string;
}

/** Written by the server's own codec; both sides must agree on every byte. */
const VECTORS = JSON.parse(readFileSync(new URL("../../tests/vectors/mask_codec.json", import.meta.url), "utf8")) as Vector[];

const bytesOfHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const voxelsOfRuns = (runs: Vector["runs"]) => Buffer.concat(runs.map(([value, length]) => Buffer.alloc(length, value)));

/** Byte by byte; a matcher would take minutes for the millions of voxels of a head. */
const areSame = (first: Uint8Array, second: Uint8Array) => Buffer.compare(first, second) === 0;

describe.each(VECTORS)("the vector: $name", ({ shape, runs, hex }) => {
  it("is decoded to its voxels", () => {
    const decoded = decodeMask(bytesOfHex(hex));

    expect(decoded.shape).toEqual(shape);
    expect(areSame(decoded.voxels, voxelsOfRuns(runs))).toBe(true);
  });

  it("is encoded to the server's bytes", () => {
    expect(areSame(encodeMask({ shape, voxels: voxelsOfRuns(runs) }), bytesOfHex(hex))).toBe(true);
  });

  it("is decoded from the middle of a larger buffer", () => {
    const bytes = bytesOfHex(hex);
    const larger = new Uint8Array(bytes.length + 7).fill(255);
    larger.set(bytes, 3);

    const decoded = decodeMask(larger.subarray(3, 3 + bytes.length));

    expect(areSame(decoded.voxels, voxelsOfRuns(runs))).toBe(true);
  });
});

describe("a damaged mask is refused", () => {
  const intact = encodeMask({ shape: [1, 2, 300], voxels: new Uint8Array(600) });

  it.each([
    ["no bytes", new Uint8Array(), "does not begin with a PVM1 header"],
    ["another format", new TextEncoder().encode("NIFTI-1 and more bytes"), "does not begin with a PVM1 header"],
    ["a missing end", intact.slice(0, 16), "hold 0 voxels, the shape needs 600"],
    ["half a length", intact.slice(0, 18), "no complete length"],
    ["a run too many", Uint8Array.from([...intact, 1, 1]), "at least 601 voxels, the shape needs 600"],
    ["an empty run", Uint8Array.from([...intact.slice(0, 16), 0, 0]), "has length 0"],
    ["an endless length", Uint8Array.from([...intact.slice(0, 16), 0, ...Array<number>(12).fill(255)]), "no complete length"],
    ["a shape beyond any MRI", Uint8Array.from([...intact.slice(0, 4), ...Array<number>(12).fill(255)]), "is larger than"],
  ])("for %s", (_, bytes, message) => {
    expect(() => decodeMask(bytes)).toThrow(MaskCodecError);
    expect(() => decodeMask(bytes)).toThrow(message);
  });

  it("when voxels do not fill the shape", () => {
    expect(() => encodeMask({ shape: [1, 1, 2], voxels: new Uint8Array(3) })).toThrow(MaskCodecError);
  });
});

import { describe, expect, it } from "vitest";

import { contentBox } from "../src/geometry/content_box";

const WINDOW = { width: 1000, center: 500 };

/** A slice of 40 by 48 with a bright rectangle. */
function slice(rows: readonly [number, number], columns: readonly [number, number]): Float32Array {
  const pixels = new Float32Array(40 * 48).fill(30);
  for (let row = rows[0]; row <= rows[1]; row += 1) pixels.fill(800, row * 48 + columns[0], row * 48 + columns[1] + 1);
  return pixels;
}

describe("the box around the head", () => {
  it("holds what is bright in any slice, to the pixels that are looked at", () => {
    const slices = [slice([8, 23], [12, 31]), null, slice([12, 27], [8, 27])];

    expect(contentBox(slices, [3, 40, 48], WINDOW)).toEqual({ rows: [8, 27], columns: [8, 31] });
  });

  it("is not there where nothing stands out of the air, and does not grow by a bright pixel", () => {
    const spot = slice([8, 23], [12, 31]);
    spot[0] = 800;

    expect(contentBox([new Float32Array(40 * 48).fill(30)], [1, 40, 48], WINDOW)).toBeNull();
    expect(contentBox([spot], [1, 40, 48], WINDOW)).toEqual({ rows: [8, 23], columns: [12, 31] });
  });
});

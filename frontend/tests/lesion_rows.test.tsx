import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";

import type { Lesion } from "../src/server/types";
import { useLesionRows } from "../src/state/lesion_rows";

function sizesOf(lesions: readonly Lesion[] | null) {
  const found: ReturnType<typeof useLesionRows>[] = [];
  function Room() {
    found.push(useLesionRows({ lesions, labels: null, statements: [], changes: null, takers: [] }));
    return null;
  }
  renderToString(<Room />);
  return found.at(-1)?.sizes;
}

test("sizes are counted of lesions that are known, and none is not the same as not known", () => {
  expect(sizesOf(null)).toBeNull();
  expect(sizesOf([])).toEqual({ small: 0, medium: 0, large: 0 });
});

import { cache } from "@cornerstonejs/core";

import type { IntensitiesOf } from "../geometry/edits/grid";
import type { ReadingStack } from "./reading_stack";

/** The pixels of a stack's slices as far as they are in memory; null for a slice that is still on its way. */
export function intensitiesOf({ imageIds }: Pick<ReadingStack, "imageIds">): IntensitiesOf {
  return (sliceIndex) => cache.getImage(imageIds[sliceIndex] ?? "")?.getPixelData() ?? null;
}

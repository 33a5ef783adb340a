import { useMemo } from "react";

import { point3 } from "../geometry/affine";
import type { SliceStack } from "../server/types";
import { useOpenPanes } from "../viewport/open_panes";
import { PlaneView, type CutAxis } from "../viewport/plane_view";
import styles from "./pane_of_planes.module.css";
import type { PaneScene } from "./pane_scene";

const AXES: readonly CutAxis[] = [1, 2];

/** The two planes across the study's own slices, one below the other. */
export function PlanesColumn({ slices, scene: { labels, painting, heat, brain } }: { slices: SliceStack; scene: PaneScene }) {
  const imageIds = useOpenPanes(({ stacks }) => stacks.current?.imageIds);
  const grid = useMemo(() => ({ affine: slices.affine, shape: point3(slices.shape) }), [slices]);
  if (!imageIds) return null;
  return (
    <div className={styles.planes} data-testid="planes">
      {AXES.map((axis) => (
        <PlaneView key={axis} axis={axis} grid={grid} imageIds={imageIds} labels={labels} painting={painting} heat={heat} brain={brain} />
      ))}
    </div>
  );
}

import { useId } from "react";

import type { ShownKind } from "../state/shown_changes";
import { CHANGE_STYLES, type Pattern } from "../viewport/overlay_style";

/** Lines of each pattern in a tile of 5. */
const TILES: Readonly<Record<Pattern, string>> = { diagonal: "M-1 6 6 -1", cross: "M-1 6 6 -1M-1 -1 6 6", horizontal: "M0 2.5h5", dots: "M2.5 2.5h.01" };

/** A change as it is painted on the slice. */
export function ChangeMark({ kind, size = 14 }: { kind: ShownKind; size?: number }) {
  const tile = useId();
  const { color, dash, pattern } = CHANGE_STYLES[kind];
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden focusable="false">
      <rect width="14" height="14" rx="3" fill="#10161c" />
      {pattern && (
        <pattern id={tile} width="5" height="5" patternUnits="userSpaceOnUse">
          <path d={TILES[pattern]} stroke={color} strokeWidth={pattern === "dots" ? 2 : 1.3} strokeLinecap="round" fill="none" />
        </pattern>
      )}
      <rect x="1.5" y="1.5" width="11" height="11" rx="2" fill={pattern ? `url(#${tile})` : color} fillOpacity={pattern ? 1 : 0.3} stroke={color} strokeWidth={1.6} strokeDasharray={dash.join(" ")} />
    </svg>
  );
}

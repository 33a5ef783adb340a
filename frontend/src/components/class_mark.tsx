import { useId } from "react";

import type { LesionClass } from "../geometry/labels";

export const CLASS_NAMES: Readonly<Record<LesionClass, string>> = { active: "Active", inactive: "Inactive" };

/** What a class means here, in full: nobody may read it as a diagnosis. */
export const CLASS_CLAIMS: Readonly<Record<LesionClass, string>> = {
  active: "AI-predicted active (FLAIR only)",
  inactive: "AI-predicted inactive (FLAIR only)",
};

/** The class as it is drawn on the slice: hatched in a solid line, or plain in a dashed line. */
export function ClassMark({ lesionClass, size = 14 }: { lesionClass: LesionClass; size?: number }) {
  const pattern = useId();
  const color = `var(--pv-${lesionClass})`;
  if (lesionClass === "inactive") {
    return (
      <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden focusable="false">
        <rect x="1" y="1" width="12" height="12" rx="2.5" fill={color} fillOpacity={0.22} stroke={color} strokeWidth={1.6} strokeDasharray="3 2.2" />
      </svg>
    );
  }
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" aria-hidden focusable="false">
      <pattern id={pattern} width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1="0" y1="0" x2="0" y2="4" stroke={color} strokeWidth={2} />
      </pattern>
      <rect x="1" y="1" width="12" height="12" rx="2.5" fill={`url(#${pattern})`} stroke={color} strokeWidth={1.6} />
    </svg>
  );
}

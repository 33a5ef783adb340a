import { memo, useRef, type KeyboardEvent, type PointerEvent } from "react";

import { LESION_CLASSES } from "../geometry/labels";
import type { CountsBySlice } from "../geometry/slice_order";
import styles from "./slice_strip.module.css";

interface SliceStripProps {
  readonly sliceCount: number;
  readonly sliceIndex: number;
  /** Null while nothing is predicted. */
  readonly counts: CountsBySlice | null;
  /** Patient sides of the first and the last slice, such as F and H. */
  readonly ends: readonly [string, string];
  onGoTo(sliceIndex: number): void;
}

/** Slider through the stack, and beside it how many lesions of each class touch each slice. */
export function SliceStrip({ sliceCount, sliceIndex, counts, ends, onGoTo }: SliceStripProps) {
  const track = useRef<HTMLDivElement>(null);
  const follow = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (box) onGoTo(Math.floor(((event.clientY - box.top) / box.height) * sliceCount));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = TARGETS[event.key]?.(sliceIndex, sliceCount);
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onGoTo(target);
  };
  const lesions = counts ? LESION_CLASSES.map((lesionClass) => `${counts[lesionClass][sliceIndex] ?? 0} ${lesionClass}`).join(", ") : "";

  return (
    <div className={styles.strip} data-testid="lesion-strip">
      <span className={styles.end}>{ends[0]}</span>
      <div
        ref={track}
        className={styles.track}
        role="slider"
        tabIndex={0}
        aria-label="Slice"
        aria-orientation="vertical"
        aria-valuemin={1}
        aria-valuemax={sliceCount}
        aria-valuenow={sliceIndex + 1}
        aria-valuetext={`Slice ${sliceIndex + 1} of ${sliceCount}${lesions && `, ${lesions} lesions`}`}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && follow(event)}
      >
        <Heat sliceCount={sliceCount} counts={counts} />
        <div className={styles.thumb} style={{ top: `${(sliceIndex / sliceCount) * 100}%`, height: `${100 / sliceCount}%` }} />
      </div>
      <span className={styles.end}>{ends[1]}</span>
    </div>
  );
}

const PAGE = 5;

const TARGETS: Readonly<Record<string, (index: number, count: number) => number>> = {
  ArrowUp: (index) => index - 1,
  ArrowLeft: (index) => index - 1,
  ArrowDown: (index) => index + 1,
  ArrowRight: (index) => index + 1,
  PageUp: (index) => index - PAGE,
  PageDown: (index) => index + PAGE,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Active lesions grow from the left edge, inactive ones from the right; the longest bar is the fullest slice. */
const Heat = memo(function Heat({ sliceCount, counts }: { sliceCount: number; counts: CountsBySlice | null }) {
  if (!counts) return null;
  const fullest = Math.max(1, ...counts.active, ...counts.inactive);
  return (
    <svg className={styles.heat} viewBox={`0 0 100 ${sliceCount}`} preserveAspectRatio="none" aria-hidden focusable="false">
      {LESION_CLASSES.map((lesionClass) => (
        <g key={lesionClass} className={styles[lesionClass]}>
          {counts[lesionClass].map((count, slice) => {
            const width = count === 0 ? 0 : 14 + (count / fullest) * 34;
            const x = lesionClass === "active" ? 0 : 100 - width;
            return width > 0 && <rect key={slice} x={x} y={slice + 0.08} width={width} height={0.84} />;
          })}
        </g>
      ))}
    </svg>
  );
});

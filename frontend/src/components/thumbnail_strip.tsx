import { SegmentedControl } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import { LESION_CLASSES } from "../geometry/labels";
import type { CountsBySlice } from "../geometry/slice_order";
import type { SliceStack } from "../server/types";
import { readNow, useReading } from "../state/reading";
import { useOpenPanes } from "../viewport/open_panes";
import { drawThumbnail } from "../viewport/thumbnail";
import { ClassMark } from "./class_mark";
import styles from "./thumbnail_strip.module.css";

type Shown = "lesions" | "all";

const CHOICES: { value: Shown; label: string }[] = [
  { value: "lesions", label: "With lesions" },
  { value: "all", label: "All slices" },
];

interface ThumbnailStripProps {
  readonly slices: SliceStack;
  readonly counts: CountsBySlice | null;
}

/** The slices small and in a row, each with how many lesions of each class touch it; a press shows the slice. */
export function ThumbnailStrip({ slices, counts }: ThumbnailStripProps) {
  const [shown, setShown] = useState<Shown>(counts ? "lesions" : "all");
  const sliceIndex = useReading((reading) => reading.sliceIndex);
  const stack = useOpenPanes(({ stacks }) => stacks.current);
  const touched = (index: number) => LESION_CLASSES.some((lesionClass) => (counts?.[lesionClass][index] ?? 0) > 0);
  const indices = slices.slices.map((_, index) => index).filter((index) => shown === "all" || touched(index));
  return (
    <section className={styles.strip} aria-label="Key slices" data-testid="thumbnail-strip">
      <SegmentedControl size="xs" orientation="vertical" data={CHOICES} value={shown} onChange={setShown} aria-label="Slices in the strip" />
      <ol className={styles.list}>
        {indices.map((index) => (
          <Thumbnail key={index} index={index} imageId={stack?.imageIds[index]} slices={slices} counts={counts} isShown={index === sliceIndex} />
        ))}
      </ol>
      {indices.length === 0 && <p className={styles.none}>No slice has a lesion.</p>}
    </section>
  );
}

interface ThumbnailProps {
  readonly index: number;
  readonly imageId: string | undefined;
  readonly slices: SliceStack;
  readonly counts: CountsBySlice | null;
  readonly isShown: boolean;
}

function Thumbnail({ index, imageId, slices, counts, isShown }: ThumbnailProps) {
  const item = useRef<HTMLLIElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!canvas.current || !imageId) return;
    return whenSeen(canvas.current, (seen) => drawThumbnail(seen, imageId, slices));
  }, [imageId, slices]);
  useEffect(() => {
    if (isShown) item.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [isShown]);
  const badges = LESION_CLASSES.map((lesionClass) => ({ lesionClass, count: counts?.[lesionClass][index] ?? 0 })).filter(({ count }) => count > 0);
  return (
    <li ref={item}>
      <button type="button" className={styles.thumbnail} aria-pressed={isShown} onClick={() => readNow().goTo(index)}>
        <canvas ref={canvas} width={72} height={72} aria-hidden />
        <span className={styles.index}><span className="visually-hidden">Slice </span>{index + 1}</span>
        <span className={styles.badges}>
          {badges.map(({ lesionClass, count }) => (
            <span key={lesionClass} className={styles.badge} data-class={lesionClass}><ClassMark lesionClass={lesionClass} size={10} />{count}<span className="visually-hidden">{` ${lesionClass}`}</span></span>
          ))}
        </span>
      </button>
    </li>
  );
}

/** Calls once the element comes into sight and the browser has nothing more urgent to do. */
function whenSeen<Seen extends Element>(element: Seen, draw: (seen: Seen) => void): () => void {
  let waiting = 0;
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    waiting = requestIdleCallback(() => draw(element), { timeout: 500 });
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    cancelIdleCallback(waiting);
  };
}

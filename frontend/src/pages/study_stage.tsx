import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { Problem } from "../components/problem";
import { StateNotice } from "../components/result_sidebar";
import { StageLoader, ViewerStage } from "../components/viewer_stage";
import { boxesOf, lesionAt } from "../geometry/lesion_extent";
import type { StudyDetail } from "../server/types";
import { middleSliceOf } from "../state/anchors";
import { useReading } from "../state/reading";
import type { StudyReading } from "../state/study_reading";
import type { Mark } from "../viewport/overlay_layer";
import type { ReadingStack } from "../viewport/reading_stack";
import styles from "./study_page.module.css";

interface StudyStageProps {
  readonly study: StudyDetail;
  readonly reading: StudyReading;
  readonly stack: ReadingStack | null;
  onStack(stack: ReadingStack | null): void;
}

/** The slices, or why there are none. */
export function StudyStage({ study, reading, stack, onStack }: StudyStageProps) {
  const queryClient = useQueryClient();
  const [drawingError, setDrawingError] = useState<Error | null>(null);
  const mark = useMark(reading);
  if (!reading.shownSeries) return <div className={styles.notice}><StateNotice study={study} /></div>;
  const error = drawingError ?? reading.slices.error ?? reading.attributes.error;
  const retry = () => {
    setDrawingError(null);
    void queryClient.invalidateQueries({ queryKey: ["slices"] });
    void queryClient.invalidateQueries({ queryKey: ["attributes"] });
  };
  if (error) return <div className={styles.notice}><Problem error={error} onRetry={retry} /></div>;
  if (!reading.slices.data || !reading.attributes.data || reading.startSlice === null) return <StageLoader />;
  return (
    <ViewerStage
      key={reading.shownSeries}
      series={study.series.find(({ id }) => id === reading.shownSeries)}
      slices={reading.slices.data}
      attributes={reading.attributes.data}
      startSlice={reading.startSlice}
      counts={reading.isOverlayOnScreen ? (reading.annotation?.counts_by_slice ?? null) : null}
      labels={reading.labels}
      brain={reading.brain}
      mark={mark}
      stack={stack}
      onStack={onStack}
      onError={setDrawingError}
    />
  );
}

/** The selected lesion as the overlay brackets it. */
function useMark({ lesions, labels }: StudyReading): Mark | null {
  const selected = useReading((state) => state.selectedLesion);
  return useMemo(() => {
    const lesion = lesions?.find(({ number }) => number === selected);
    if (!lesion || !labels) return null;
    const [, row = 0, column = 0] = lesion.centroid_index;
    return boxesOf(lesionAt(labels, [middleSliceOf(lesion), row, column]), labels.shape);
  }, [lesions, labels, selected]);
}

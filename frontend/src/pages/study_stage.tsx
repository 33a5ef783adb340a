import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { Problem } from "../components/problem";
import { ReadingPanes, StageLoader } from "../components/reading_panes";
import { StateNotice } from "../components/result_sidebar";
import type { LabelVolume } from "../geometry/labels";
import type { Lesion, StudyDetail } from "../server/types";
import { useStrokeLabels } from "../state/stroke";
import type { StudyReading } from "../state/study_reading";
import type { ReadingStack } from "../viewport/reading_stack";
import styles from "./study_page.module.css";

interface StudyStageProps {
  readonly study: StudyDetail;
  readonly reading: StudyReading;
  /** As they were after the last step; a stroke that is being drawn is added here. */
  readonly labels: LabelVolume | null;
  onStack(stack: ReadingStack | null): void;
}

/** The slices, or why there are none. */
export function StudyStage({ study, reading, labels, onStack }: StudyStageProps) {
  const drawnLabels = useStrokeLabels(labels);
  const queryClient = useQueryClient();
  const [drawingError, setDrawingError] = useState<Error | null>(null);
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
    <ReadingPanes
      key={reading.shownSeries}
      study={study}
      shownSeries={reading.shownSeries}
      slices={reading.slices.data}
      attributes={reading.attributes.data}
      startSlice={reading.startSlice}
      annotation={reading.isOverlayOnScreen ? reading.annotation : null}
      labels={drawnLabels}
      lesions={reading.lesions ?? NONE}
      counts={reading.isOverlayOnScreen ? (reading.annotation?.counts_by_slice ?? null) : null}
      brain={reading.brain}
      onStack={onStack}
      onError={setDrawingError}
    />
  );
}

const NONE: readonly Lesion[] = [];

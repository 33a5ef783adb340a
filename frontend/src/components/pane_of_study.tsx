import { usePanes } from "../state/panes";
import { Pane } from "./pane";
import { PaneHeader } from "./pane_header";
import type { PaneScene } from "./pane_scene";
import type { ReadingPanesProps } from "./reading_panes";

interface StudyPaneProps extends ReadingPanesProps {
  readonly scene: PaneScene;
  readonly isAlone: boolean;
}

/** The study's own pane. */
export function StudyPane({ study, shownSeries, slices, attributes, startSlice, scene, isAlone, onStack, onError }: StudyPaneProps) {
  const description = study.series.find(({ id }) => id === shownSeries)?.series_description ?? "";
  return (
    <Pane
      pane="current"
      header={isAlone ? null : <PaneHeader title="Current" date={study.study_date} description={description} />}
      caption={isAlone ? description : null}
      slices={slices} attributes={attributes} startSlice={startSlice} {...scene}
      onStack={onStack} onError={onError} onAllSlices={() => usePanes.getState().tellSlicesHere(true)}
    />
  );
}

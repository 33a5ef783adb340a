import { ActionIcon, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router";

import { CheatSheet } from "../components/cheat_sheet";
import { dateText } from "../components/formats";
import { HonestBanner } from "../components/honest_banner";
import { Icon } from "../components/icons";
import { usePageTitle } from "../components/page_title";
import { PatientHeader } from "../components/patient_header";
import { Problem } from "../components/problem";
import { ResultSidebar, StateNotice } from "../components/result_sidebar";
import { StudySidebar } from "../components/study_sidebar";
import { StageLoader, ViewerStage } from "../components/viewer_stage";
import { ViewerToolbar } from "../components/viewer_toolbar";
import { boxesOf, lesionAt } from "../geometry/lesion_extent";
import { ProblemError } from "../server/problem";
import type { Me, StudyDetail } from "../server/types";
import { useLiveStudy } from "../state/live";
import { readNow, useReading } from "../state/reading";
import { useStudyReading, type StudyReading } from "../state/study_reading";
import { resetTiming } from "../state/timing";
import type { Command, CommandContext, Room as RoomActions } from "../tools/command";
import { useCommandKeys } from "../tools/keyboard";
import { sliceOfLesion } from "../tools/lesions";
import type { Mark } from "../viewport/overlay_layer";
import type { ReadingStack } from "../viewport/reading_stack";
import { NotFoundPage } from "./not_found_page";
import styles from "./study_page.module.css";

const NOT_FOUND = 404;

/** Below this width the study's panel is opened on demand, so that the slices keep their size. */
const WIDE = "(min-width: 1200px)";

export function StudyPage({ me }: { me: Me }) {
  const { id = "" } = useParams();
  return <ReadingRoom key={id} id={id} me={me} />;
}

function ReadingRoom({ id, me }: { id: string; me: Me }) {
  useLiveStudy(id);
  const [chosenSeries, chooseSeries] = useState<string | null>(null);
  const reading = useStudyReading(id, chosenSeries);
  const { study } = reading;
  usePageTitle(study.data ? `Study of ${dateText(study.data.study_date)}` : "Study");
  useEffect(() => resetTiming(), []);

  if (study.error instanceof ProblemError && study.error.status === NOT_FOUND) return <NotFoundPage what="This study" />;
  if (study.isError && !study.data) {
    return <div className={styles.problem}><Problem error={study.error} onRetry={() => void study.refetch()} /></div>;
  }
  if (!study.data) return <StageLoader />;
  return <Room study={study.data} reading={reading} me={me} onShowSeries={chooseSeries} />;
}

interface RoomProps {
  readonly study: StudyDetail;
  readonly reading: StudyReading;
  readonly me: Me;
  onShowSeries(series: string): void;
}

function Room({ study, reading, me, onShowSeries }: RoomProps) {
  const [stack, setStack] = useState<ReadingStack | null>(null);
  const [areKeysShown, setKeysShown] = useState(false);
  const isWide = useMediaQuery(WIDE, window.matchMedia(WIDE).matches);
  const [isSidebarAsked, askSidebar] = useState<boolean | null>(null);
  const isSidebarOpen = isSidebarAsked ?? (isWide || !reading.shownSeries);
  const slices = reading.slices.data ?? null;
  const navigate = useNavigate();
  const room: RoomActions = {
    openNextUnread: () => undefined,
    openWorklist: () => void navigate("/"),
    showKeys: () => setKeysShown(true),
    toggleStudyPanel: () => askSidebar(!isSidebarOpen),
    togglePart: () => undefined,
  };
  const context = (): CommandContext => ({ reading: readNow(), stack, slices, lesions: reading.lesions ?? [], room });
  const run = (command: Command) => command.run(context());
  useCommandKeys(context);

  return (
    <div className={styles.room} data-testid="study-page">
      <PatientHeader study={study} />
      <HonestBanner model={study.annotation?.model ?? null} warnings={study.annotation?.warnings ?? []} />
      <div className={styles.body}>
        {isSidebarOpen && (
          <StudySidebar study={study} annotation={reading.annotation} me={me} shownSeries={reading.shownSeries} onShowSeries={onShowSeries} />
        )}
        <div className={styles.centre}>
          <div className={styles.tools}>
            <Tooltip label={isSidebarOpen ? "Hide series and priors" : "Show series and priors"}>
              <ActionIcon className={styles.panelButton} size={30} onClick={() => askSidebar(!isSidebarOpen)} aria-label="Series and priors" aria-expanded={isSidebarOpen}>
                <Icon name="panel" size={17} />
              </ActionIcon>
            </Tooltip>
            <ViewerToolbar slices={slices} isEnabled={stack !== null} run={run} onKeys={() => setKeysShown(true)} />
          </div>
          <Stage study={study} reading={reading} stack={stack} onStack={setStack} />
        </div>
        {(reading.annotation || reading.shownSeries) && <ResultSidebar study={study} annotation={reading.annotation} lesions={reading.lesions} isOverlayOnScreen={reading.isOverlayOnScreen} me={me} />}
      </div>
      <CheatSheet isOpen={areKeysShown} onClose={() => setKeysShown(false)} />
    </div>
  );
}

interface StageProps {
  readonly study: StudyDetail;
  readonly reading: StudyReading;
  readonly stack: ReadingStack | null;
  onStack(stack: ReadingStack | null): void;
}

/** The slices, or why there are none. */
function Stage({ study, reading, stack, onStack }: StageProps) {
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
    return boxesOf(lesionAt(labels, [sliceOfLesion(lesion), row, column]), labels.shape);
  }, [lesions, labels, selected]);
}

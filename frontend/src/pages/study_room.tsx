import { ActionIcon, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect, useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { CheatSheet } from "../components/cheat_sheet";
import { CorrectingFrame } from "../components/correcting_frame";
import { DraftStatus } from "../components/draft_status";
import { HonestBanner } from "../components/honest_banner";
import { Icon } from "../components/icons";
import { useKeyHint } from "../components/key_hint";
import { AsideNote, MarksNote } from "../components/marks_note";
import { PatientHeader } from "../components/patient_header";
import { PresenceMarks } from "../components/presence_marks";
import { AssignmentMenu, NextUnreadButton, useNextUnread } from "../components/reading_queue";
import { ResultSidebarPlace } from "../components/result_sidebar";
import { Settled, useSettling } from "../components/settled";
import { StudySidebar } from "../components/study_sidebar";
import { ViewerToolbar } from "../components/viewer_toolbar";
import type { Me, StudyDetail } from "../server/types";
import { changeByLesion, useChangesNow, useStudyChanges } from "../state/change_view";
import { useComparison } from "../state/comparison";
import { useDrafting } from "../state/drafting";
import { useEnhancement, useTakers } from "../state/enhancement";
import { useLesionRows } from "../state/lesion_rows";
import { usePanes } from "../state/panes";
import { usePresence } from "../state/presence";
import { readNow } from "../state/reading";
import { useRoomFocus, type RoomTarget } from "../state/room_focus";
import type { StudyReading } from "../state/study_reading";
import type { Command, CommandContext, Room, SidebarPart } from "../tools/command";
import { commandOf } from "../tools/commands";
import { useCommandKeys } from "../tools/keyboard";
import type { ReadingStack } from "../viewport/reading_stack";
import { RoomSidebar } from "./room_sidebar";
import styles from "./study_page.module.css";
import { StudyStage } from "./study_stage";

/** Below this width the study's panel is opened on demand, so that the slices keep their size; what hangs beside them needs more. */
const WIDE = "(min-width: 1200px)";
const WIDE_FOR_TWO = "(min-width: 1600px)";

interface StudyRoomProps {
  readonly study: StudyDetail;
  readonly reading: StudyReading;
  readonly me: Me;
  onShowSeries(series: string): void;
}

/** One study with everything around its slices. */
export function StudyRoom({ study, reading: stored, me, onShowSeries }: StudyRoomProps) {
  const drafting = useDrafting(study, stored);
  const { reading } = drafting;
  const [stack, setStack] = useState<ReadingStack | null>(null);
  const [areKeysShown, showKeys] = useState(false);
  const [part, changePart] = useComparedPart();
  const isResultShown = usePanes((panes) => panes.isResultShown);
  const showPart = (asked: SidebarPart) => {
    usePanes.getState().showResult(true);
    changePart(asked);
  };
  const wide = study.priors.length > 0 || study.post_contrast_series ? WIDE_FOR_TWO : WIDE;
  const isWide = useMediaQuery(wide, window.matchMedia(wide).matches);
  const [isSidebarAsked, askSidebar] = useState<boolean | null>(null);
  const isSidebarOpen = isSidebarAsked ?? (isWide || !reading.shownSeries);
  const panelHint = useKeyHint(commandOf("room.study"), isSidebarOpen ? "Hide series and priors" : "Show series and priors");
  const next = useNextUnread(study.id);
  const navigate = useNavigate();
  const others = usePresence(study.id, me.username, drafting.isDirty || drafting.canUndo);

  const { lesions, labels } = reading;
  const changes = useChangesNow(useStudyChanges(study, reading.annotation), lesions);
  const changesByLesion = useMemo(() => changes && changeByLesion(changes), [changes]);
  const enhancement = useEnhancement(study, reading.annotation);
  const takers = useTakers(enhancement, lesions);
  const { rows, total, saidByReaders, sizes } = useLesionRows({ lesions, labels, statements: drafting.statements, changes: changesByLesion, takers });
  const slices = reading.slices.data ?? null;
  const hasResultSide = isResultShown && (reading.annotation !== null || reading.shownSeries !== null);
  const isSettled = useSettling(reading.shownSeries !== null && !reading.slices.isError && !reading.attributes.isError);

  const leadTo = (target: RoomTarget) => {
    showPart("review");
    useRoomFocus.getState().lead(target);
  };
  const room: Room = {
    openNextUnread: next.open,
    openWorklist: () => void navigate("/"),
    showKeys: () => showKeys(true),
    toggleStudyPanel: () => askSidebar(!isSidebarOpen),
    togglePart: (asked) => showPart(part === asked && isResultShown ? "lesions" : asked),
    askReview: () => leadTo("review_step"),
    askComment: () => leadTo("new_comment"),
  };
  const context = (): CommandContext => ({ reading: readNow(), stack, slices, lesions: rows.map(({ lesion }) => lesion), room, drafting });
  const run = (command: Command) => command.run(context());
  useCommandKeys(context);

  return (
    <Settled value={isSettled}>
      <div className={styles.room} data-testid="study-page">
        <PatientHeader study={study}>
          <DraftStatus drafting={drafting} />
          <PresenceMarks others={others} />
          <AssignmentMenu study={study} me={me} />
          <NextUnreadButton next={next} />
        </PatientHeader>
        <HonestBanner annotation={reading.annotation ?? study.annotation} />
        <div className={styles.body}>
          {isSidebarOpen && (
            <StudySidebar study={study} annotation={reading.annotation} me={me} shownSeries={reading.shownSeries} onShowSeries={onShowSeries} />
          )}
          <div className={styles.centre}>
            <div className={styles.tools}>
              <Tooltip label={panelHint}>
                <ActionIcon className={styles.panelButton} size={30} onClick={room.toggleStudyPanel} aria-label="Series and priors" aria-expanded={isSidebarOpen}>
                  <Icon name="panel" size={17} />
                </ActionIcon>
              </Tooltip>
              <ViewerToolbar slices={slices} isEnabled={stack !== null} run={run} onKeys={room.showKeys} />
            </div>
            <AsideNote study={study} drafting={drafting} onShowSeries={onShowSeries} />
            {isSettled && <MarksNote of="this study" reading={reading} />}
            <CorrectingFrame drafting={drafting} stack={stack} contextNow={context} run={run}>
              <StudyStage study={study} reading={reading} labels={drafting.labels} onStack={setStack} />
            </CorrectingFrame>
          </div>
          {hasResultSide && !isSettled && <ResultSidebarPlace />}
          {hasResultSide && isSettled && (
            <RoomSidebar
              study={study} drafting={drafting} me={me} rows={lesions ? rows : null} lesionCount={total} hasChanges={changes !== null}
              enhancement={enhancement} takers={takers} saidByReaders={saidByReaders} sizes={sizes}
              part={part} onPart={showPart}
            />
          )}
        </div>
        {isSettled && <CheatSheet isOpen={areKeysShown} onClose={() => showKeys(false)} />}
      </div>
    </Settled>
  );
}

/** The part of the right panel that is shown: versions at first when the address asks to compare two of them. */
function useComparedPart() {
  const [parameters] = useSearchParams();
  const compared = parameters.get("compare");
  useEffect(() => {
    const [before, after] = compared?.split(",") ?? [];
    if (before && after) useComparison.getState().compare(before, after);
  }, [compared]);
  return useState<SidebarPart>(compared ? "versions" : "lesions");
}

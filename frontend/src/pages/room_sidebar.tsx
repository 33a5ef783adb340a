import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import { CommentPanel, type CommentPanelProps, type Pin } from "../components/comment_panel";
import { ContradictionList } from "../components/contradiction_list";
import { DoubleReadingNote } from "../components/double_reading_note";
import { detailOf } from "../components/problem";
import { ResultSidebar } from "../components/result_sidebar";
import { ReviewPanel } from "../components/review_panel";
import { VersionPanel } from "../components/version_panel";
import { NO_CHANGE } from "../geometry/edits/voxel_edit";
import type { LabelVolume } from "../geometry/labels";
import type { BySize } from "../geometry/lesion_size";
import type { Enhancement } from "../server/enhancement";
import type { Anchor, Version } from "../server/review";
import type { ByClass, Lesion, Me, StudyDetail } from "../server/types";
import { advise } from "../state/advice";
import { anchorOf, lesionOfAnchor } from "../state/anchors";
import { useComparison } from "../state/comparison";
import type { Drafting } from "../state/drafting";
import type { Taker } from "../state/enhancement";
import type { LesionRow } from "../state/lesion_table";
import { commentsQuery, doubleReadingsQuery, versionsQuery } from "../state/queries";
import { readNow, useReading } from "../state/reading";
import { useVersionComparison } from "../state/version_comparison";
import type { SidebarPart } from "../tools/command";
import { showLesion } from "../tools/lesions";

interface RoomSidebarProps {
  readonly study: StudyDetail;
  readonly drafting: Drafting;
  readonly me: Me;
  readonly rows: readonly LesionRow[] | null;
  readonly lesionCount: number;
  readonly hasChanges: boolean;
  readonly enhancement: Enhancement | null;
  readonly takers: readonly Taker[];
  readonly saidByReaders: ByClass;
  readonly sizes: BySize | null;
  readonly part: SidebarPart;
  onPart(part: SidebarPart): void;
}

const showSlice = (sliceIndex: number) => readNow().goTo(sliceIndex);

/** The panel at the right with what the server says about this study's versions and comments. */
export function RoomSidebar({ study, drafting, me, rows, lesionCount, hasChanges, enhancement, takers, saidByReaders, sizes, part, onPart }: RoomSidebarProps) {
  const { reading, hasDraft, isDirty } = drafting;
  const { annotation, labels, lesions } = reading;
  const versions = useQuery(versionsQuery(study.id));
  const comments = useQuery(commentsQuery(study.id));
  const { comparison, error } = useVersionComparison();
  const difference = comparison?.diff.labels ?? null;
  useEffect(() => useComparison.getState().showDifference(difference), [difference]);
  const restore = ({ id, version }: Version) => {
    drafting.startFrom(id).then(
      () => advise(`The draft is as version ${version} was. Undo takes it back.`),
      (failure: unknown) => advise(`Version ${version} was not restored. ${detailOf(failure)}`),
    );
  };
  const doubleReading = useQuery(doubleReadingsQuery({ study: study.id })).data?.results[0];
  const hasSubmitted = doubleReading?.state !== "done" && doubleReading?.readings.some(({ reader, is_submitted }) => reader === me.username && is_submitted);
  const submitting = drafting.canEdit && !hasSubmitted ? { hasDraft: hasDraft || isDirty, isSaved: !isDirty, submit: drafting.submit } : null;
  const compare = (before: string, after: string) => {
    useComparison.getState().compare(before, after);
    onPart("versions");
  };
  const note = (
    <>
      {doubleReading && <DoubleReadingNote reading={doubleReading} reader={me.username} onCompare={compare} />}
      <ContradictionList
        contradictions={drafting.contradictions} onShow={([slice]) => showSlice(slice)}
        onWithdraw={({ statement }) => drafting.edit({ voxels: NO_CHANGE, added: [], removed: [statement] })}
      />
    </>
  );
  const canComment = me.actions.includes("annotation.edit");
  return (
    <ResultSidebar
      study={study} counted={annotation} rows={rows} lesionCount={lesionCount} hasChanges={hasChanges} enhancement={enhancement} takers={takers} saidByReaders={saidByReaders} sizes={sizes}
      reading={reading} me={me} part={part} onPart={onPart}
      openComments={comments.data?.filter(({ resolved_at }) => !resolved_at).length ?? 0}
      review={
        <>
          <ReviewPanel study={study} annotation={annotation} versions={versions} me={me} submitting={submitting} note={note} />
          <PinnedComments study={study.id} annotation={annotation?.id ?? null} comments={comments} canComment={canComment} labels={labels} lesions={lesions} />
        </>
      }
      versions={
        <VersionPanel
          study={study.id} me={me} versions={versions} current={study.annotation?.id ?? null} base={annotation} comparison={comparison} error={error}
          onRestore={drafting.canEdit ? restore : null} onShowSlice={showSlice}
        />
      }
    />
  );
}

interface PinnedCommentsProps extends Omit<CommentPanelProps, "pin" | "lesionAt" | "onShow"> {
  readonly labels: LabelVolume | null;
  readonly lesions: readonly Lesion[] | null;
}

function PinnedComments({ labels, lesions, ...comments }: PinnedCommentsProps) {
  return <CommentPanel {...comments} {...usePins(labels, lesions)} />;
}

/** Comments and lesions: the voxel that stands for the selected lesion, and the lesion that a voxel stands for. */
function usePins(labels: LabelVolume | null, lesions: readonly Lesion[] | null) {
  const selected = useReading((state) => state.selectedLesion);
  const pin = useMemo<Pin | null>(() => {
    const lesion = lesions?.find(({ number }) => number === selected);
    const anchor = lesion && labels ? anchorOf(labels, lesion) : null;
    return lesion && anchor ? { lesion: lesion.number, anchor } : null;
  }, [labels, lesions, selected]);
  const find = (anchor: Anchor) => (labels && lesions ? lesionOfAnchor(labels, lesions, anchor) : null);
  const onShow = (anchor: Anchor) => {
    const lesion = find(anchor);
    if (lesion) showLesion({ reading: readNow() }, lesion);
    readNow().goTo(anchor[0]);
  };
  return { pin, lesionAt: (anchor: Anchor) => find(anchor)?.number ?? null, onShow };
}

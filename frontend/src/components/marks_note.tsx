import { Button } from "@mantine/core";
import { useState, type ReactNode } from "react";

import type { StudyDetail } from "../server/types";
import type { DraftAside, Drafting } from "../state/drafting";
import type { StudyReading } from "../state/study_reading";
import { BusyButton } from "./busy_button";
import { DiscardQuestion } from "./draft_status";
import { Icon } from "./icons";
import { useKeptPlace } from "./kept_place";
import styles from "./marks_note.module.css";
import { detailOf } from "./problem";

interface NoteProps {
  readonly tone: "alert" | "caution";
  readonly text: string;
  readonly testId: string;
  readonly children: ReactNode;
}

/** One line above the slices about what is marked on them, and what to do. */
function Note({ tone, text, testId, children }: NoteProps) {
  const place = useKeptPlace<HTMLDivElement>();
  return (
    <div ref={place} className={styles.note} data-tone={tone} role={tone === "alert" ? "alert" : "status"} data-testid={testId}>
      <Icon name={tone === "alert" ? "warning" : "info"} />
      <span className={styles.text}>{text}</span>
      {children}
    </div>
  );
}

/** Slices without their marks would look like those of a healthy brain. Nothing while the marks are here, or on their way. */
export function MarksNote({ of, reading }: { of: string; reading: Pick<StudyReading, "marksError" | "retryResult"> }) {
  if (!reading.marksError) return null;
  return (
    <Note tone="alert" text={`The marks of ${of} are not shown. ${detailOf(reading.marksError)}`} testId="marks-note">
      <BusyButton variant="default" size="compact-xs" onClick={reading.retryResult}>Try again</BusyButton>
    </Note>
  );
}

interface AsideNoteProps {
  readonly study: StudyDetail;
  readonly drafting: Pick<Drafting, "aside" | "canDiscard" | "annotation" | "discard">;
  onShowSeries(series: string): void;
}

/** Where the draft is that the slices do not show, and the two ways on. */
export function AsideNote({ study, drafting: { aside, canDiscard, annotation, discard }, onShowSeries }: AsideNoteProps) {
  const [isAsking, ask] = useState(false);
  if (!aside) return null;
  return (
    <>
      <Note tone="caution" text={asideText(aside, study, canDiscard ? (annotation?.version ?? null) : null)} testId="draft-aside">
        {aside.canBeShown && <Button variant="default" size="compact-xs" onClick={() => onShowSeries(aside.series)}>Show its series</Button>}
        {canDiscard && <Button variant="default" size="compact-xs" onClick={() => ask(true)}>Discard the draft …</Button>}
      </Note>
      <DiscardQuestion isOpen={isAsking} onClose={() => ask(false)} onDiscard={discard} />
    </>
  );
}

/** @param version that can be corrected instead; null for those who only read */
function asideText({ series, canBeShown }: DraftAside, { series: all }: StudyDetail, version: number | null): string {
  const instead = version === null ? "" : `discard it to correct version ${version} instead`;
  if (!canBeShown) return `The draft of this study is from before its series changed. It is kept, but can no longer be shown${instead && `; ${instead}`}.`;
  const name = all.find(({ id }) => id === series)?.series_description || "another series";
  return `The draft of this study was drawn on “${name}” and is kept there. Show that series to go on with it${instead && `, or ${instead}`}.`;
}

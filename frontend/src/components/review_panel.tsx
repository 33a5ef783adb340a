import { Textarea } from "@mantine/core";
import { useMutation, useQueries, type UseQueryResult } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { approve, returnForCorrection, type ReviewStep, type Version } from "../server/review";
import type { Annotation, Me, StudyDetail } from "../server/types";
import { annotationQuery, queryClient } from "../state/queries";
import { useLedFocus } from "../state/room_focus";
import { BusyButton } from "./busy_button";
import { Fetched } from "./fetched";
import { leaveOrSend } from "./field_keys";
import { fullTimeText, timeText } from "./formats";
import { useKeptPlace } from "./kept_place";
import { Panel } from "./panel";
import { detailOf } from "./problem";
import styles from "./review_panel.module.css";
import { authorText, STEP_TEXTS } from "./version_names";

/** What a reader's draft can do here; null for those who may not edit. */
export interface Submitting {
  readonly hasDraft: boolean;
  /** False while changes are still on their way to the server. */
  readonly isSaved: boolean;
  submit(comment: string): Promise<unknown>;
}

interface ReviewPanelProps {
  readonly study: StudyDetail;
  readonly annotation: Annotation | null;
  readonly versions: UseQueryResult<Version[]>;
  readonly me: Me;
  readonly submitting: Submitting | null;
  /** What is special about this reading. */
  readonly note?: ReactNode;
}

/** Where the reading stands, what can be done next, and every step so far. */
export function ReviewPanel({ study, annotation, versions, me, submitting, note }: ReviewPanelProps) {
  const isAwaitingReview = annotation?.state === "submitted" && annotation.id === study.annotation?.id;
  const canSubmit = submitting?.hasDraft || annotation?.state === "predicted";
  return (
    <>
      <Panel title="Review">
        <p className={styles.status} data-testid="review-status" data-state={submitting?.hasDraft ? "draft" : annotation?.state}>
          {statusOf(annotation, submitting?.hasDraft ?? false, versions.data ?? null)}
        </p>
        {note}
        {submitting && canSubmit && <SubmitForm study={study.id} submitting={submitting} />}
        {isAwaitingReview && annotation && me.actions.includes("annotation.review") && <DecisionForm study={study.id} annotation={annotation} />}
      </Panel>
      <Panel title="History">
        <Fetched query={versions} of="history">{(all) => <History versions={all} />}</Fetched>
      </Panel>
    </>
  );
}

/** @param versions null while it is not known which there are */
function statusOf(annotation: Annotation | null, hasDraft: boolean, versions: readonly Version[] | null): string {
  if (!annotation) return "Nothing to review yet.";
  if (hasDraft) return `Draft, grown from version ${annotation.version}. Submit it when the reading is finished.`;
  const version = `Version ${annotation.version}`;
  if (annotation.state === "submitted") return `${version} was submitted by ${authorText(annotation)} and waits for approval.`;
  if (annotation.state === "approved") return `${version} by ${authorText(annotation)} is approved. A correction begins a new version.`;
  if (annotation.state === "returned") return `${version} by ${authorText(annotation)} was returned. Correct it and submit it again.`;
  const isUnread = versions?.every(({ author }) => author === null);
  return `${version} is a prediction of ${authorText(annotation)}.${isUnread ? " No reader has said anything about it yet." : ""}`;
}

/** Asks the server and then shows what has become of the study. */
function useReviewStep(study: string, step: (comment: string) => Promise<unknown>) {
  return useMutation({
    mutationFn: step,
    onSettled: () => Promise.all([
      queryClient.invalidateQueries({ queryKey: ["study", study] }),
      queryClient.invalidateQueries({ queryKey: ["annotation"] }),
      queryClient.invalidateQueries({ queryKey: ["double-readings"] }),
    ]),
  });
}

function SubmitForm({ study, submitting }: { study: string; submitting: Submitting }) {
  const [comment, setComment] = useState("");
  const sending = useReviewStep(study, submitting.submit);
  const button = useLedFocus<HTMLButtonElement>("review_step");
  const place = useKeptPlace<HTMLFormElement>();
  return (
    <form
      ref={place} className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        sending.mutate(comment.trim(), { onSuccess: () => setComment("") });
      }}
    >
      <Textarea size="xs" autosize minRows={2} label="Comment for the reviewer" value={comment} onChange={(event) => setComment(event.currentTarget.value)} onKeyDown={leaveOrSend} />
      <BusyButton ref={button} type="submit" disabled={!submitting.isSaved} isBusy={sending.isPending} data-testid="submit-review">Submit for review</BusyButton>
      {!submitting.isSaved && <p className={styles.hint}>Changes are still being saved.</p>}
      {sending.isError && <p className={styles.error} role="alert">{detailOf(sending.error)}</p>}
    </form>
  );
}

function DecisionForm({ study, annotation }: { study: string; annotation: Annotation }) {
  const [comment, setComment] = useState("");
  const approving = useReviewStep(study, (text) => approve(annotation.id, text));
  const returning = useReviewStep(study, (text) => returnForCorrection(annotation.id, text));
  const button = useLedFocus<HTMLButtonElement>("review_step");
  const text = comment.trim();
  const error = approving.error ?? returning.error;
  return (
    <div className={styles.form}>
      <Textarea
        size="xs" autosize minRows={2} label="Comment" description="Needed to return the version" value={comment}
        onChange={(event) => setComment(event.currentTarget.value)} onKeyDown={leaveOrSend} data-testid="review-comment"
      />
      <div className={styles.actions}>
        <BusyButton ref={button} isBusy={approving.isPending} disabled={returning.isPending} onClick={() => approving.mutate(text)} data-testid="approve">Approve</BusyButton>
        <BusyButton variant="default" isBusy={returning.isPending} disabled={!text || approving.isPending} onClick={() => returning.mutate(text)} data-testid="return">
          Return for correction
        </BusyButton>
      </div>
      {error && <p className={styles.error} role="alert">{detailOf(error)}</p>}
    </div>
  );
}

type DatedStep = ReviewStep & { readonly version: number };

/** Steps of all versions, the newest first. */
function History({ versions }: { versions: readonly Version[] }) {
  const readers = versions.filter(({ author }) => author !== null);
  const details = useQueries({ queries: readers.map(({ id }) => annotationQuery(id)) });
  const missing = details.find(({ data, error }) => data === undefined && error) ?? details.find(({ data }) => data === undefined);
  const steps = details.flatMap(({ data }) => (data ? stepsOf(data) : [])).toSorted((first, second) => second.at.localeCompare(first.at));
  return (
    <>
      {missing && <Fetched query={missing} of="history">{() => null}</Fetched>}
      {!missing && steps.length === 0 && <p className={styles.none}>No version was submitted yet.</p>}
      <ol className={styles.steps} data-testid="review-history">
        {steps.map((step) => (
          <li key={`${step.version} ${step.at} ${step.step}`} data-step={step.step}>
            <span className={styles.what}>{`Version ${step.version} ${STEP_TEXTS[step.step]}`}</span>
            <span className={styles.who} title={fullTimeText(step.at)}>{`${step.by}, ${timeText(step.at)}`}</span>
            {step.comment && <q className={styles.comment}>{step.comment}</q>}
          </li>
        ))}
      </ol>
    </>
  );
}

function stepsOf({ review, version }: Annotation): DatedStep[] {
  return review.map((step) => ({ ...step, version }));
}


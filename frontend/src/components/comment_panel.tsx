import { Checkbox, Textarea } from "@mantine/core";
import { useMutation, type UseQueryResult } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { addComment, resolveComment, type Anchor, type StudyComment } from "../server/review";
import { queryClient } from "../state/queries";
import { useLedFocus } from "../state/room_focus";
import { BusyButton } from "./busy_button";
import styles from "./comment_panel.module.css";
import { Fetched } from "./fetched";
import { leaveOrSend } from "./field_keys";
import { countText, fullTimeText, timeText } from "./formats";
import { Panel } from "./panel";
import { detailOf } from "./problem";

/** The lesion that a new comment would be pinned to. */
export interface Pin {
  readonly lesion: number;
  readonly anchor: Anchor;
}

export interface CommentPanelProps {
  readonly study: string;
  readonly annotation: string | null;
  readonly comments: UseQueryResult<StudyComment[]>;
  readonly pin: Pin | null;
  readonly canComment: boolean;
  /** The number of the lesion at an anchor; null once it is gone. */
  lesionAt(anchor: Anchor): number | null;
  onShow(anchor: Anchor): void;
}

/** What readers say to each other about a study, the oldest first; what is settled is folded away. */
export function CommentPanel({ study, annotation, comments, pin, canComment, lesionAt, onShow }: CommentPanelProps) {
  const line = (comment: StudyComment) => (
    <CommentLine key={comment.id} study={study} comment={comment} lesion={comment.anchor && lesionAt(comment.anchor)} canResolve={canComment} onShow={onShow} />
  );
  const openCount = comments.data?.filter(({ resolved_at }) => !resolved_at).length;
  return (
    <Panel title={openCount === undefined ? "Comments" : `Comments (${openCount})`}>
      <Fetched query={comments} of="comments">{(all) => <CommentLists comments={all} line={line} />}</Fetched>
      {canComment && <NewComment study={study} annotation={annotation} pin={pin} />}
    </Panel>
  );
}

function CommentLists({ comments, line }: { comments: readonly StudyComment[]; line: (comment: StudyComment) => ReactNode }) {
  const open = comments.filter(({ resolved_at }) => !resolved_at);
  const settled = comments.filter(({ resolved_at }) => resolved_at);
  return (
    <>
      {comments.length === 0 && <p className={styles.none}>Nobody has commented on this study.</p>}
      <ul className={styles.list} data-testid="comments">{open.map(line)}</ul>
      {settled.length > 0 && (
        <details className={styles.settled}>
          <summary>{countText(settled.length, "resolved comment")}</summary>
          <ul className={styles.list}>{settled.map(line)}</ul>
        </details>
      )}
    </>
  );
}

function refreshed(study: string) {
  return queryClient.invalidateQueries({ queryKey: ["comments", study] });
}

interface CommentLineProps {
  readonly study: string;
  readonly comment: StudyComment;
  readonly lesion: number | null;
  readonly canResolve: boolean;
  onShow(anchor: Anchor): void;
}

function CommentLine({ study, comment, lesion, canResolve, onShow }: CommentLineProps) {
  const { author, created, text, anchor, resolved_at, resolved_by } = comment;
  const resolving = useMutation({ mutationFn: () => resolveComment(comment.id), onSettled: () => refreshed(study) });
  return (
    <li className={styles.comment} data-testid="comment">
      <div className={styles.head}>
        <strong>{author}</strong>
        <span title={fullTimeText(created)}>{timeText(created)}</span>
        {anchor && (
          <button type="button" className={styles.jump} onClick={() => onShow(anchor)} data-testid="comment-jump">
            {lesion === null ? `Slice ${anchor[0] + 1}` : `Lesion ${lesion}, slice ${anchor[0] + 1}`}
          </button>
        )}
      </div>
      <p>{text}</p>
      {resolved_at && <span className={styles.none}>{`Resolved by ${resolved_by ?? "a reader"}, ${timeText(resolved_at)}`}</span>}
      {!resolved_at && canResolve && (
        <BusyButton variant="subtle" size="compact-xs" isBusy={resolving.isPending} onClick={() => resolving.mutate()} data-testid="comment-resolve">Resolve</BusyButton>
      )}
      {resolving.isError && <span className={styles.error} role="alert">{detailOf(resolving.error)}</span>}
    </li>
  );
}

function NewComment({ study, annotation, pin }: { study: string; annotation: string | null; pin: Pin | null }) {
  const [text, setText] = useState("");
  const [isPinned, setPinned] = useState(true);
  const field = useLedFocus<HTMLTextAreaElement>("new_comment");
  const adding = useMutation({
    mutationFn: () => addComment(study, {
      text: text.trim(), ...(annotation ? { annotation } : {}), ...(pin && isPinned ? { anchor: pin.anchor } : {}),
    }),
    onSuccess: () => setText(""),
    onSettled: () => refreshed(study),
  });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) adding.mutate();
      }}
    >
      <Textarea
        ref={field} size="xs" autosize minRows={2} label="New comment" value={text} data-testid="new-comment"
        onChange={(event) => setText(event.currentTarget.value)} onKeyDown={leaveOrSend}
      />
      <Checkbox
        size="xs" label={pin ? `Pin to lesion ${pin.lesion}` : "Select a lesion to pin this to it"} disabled={!pin}
        checked={isPinned && pin !== null} onChange={(event) => setPinned(event.currentTarget.checked)}
      />
      <BusyButton type="submit" variant="default" disabled={!text.trim()} isBusy={adding.isPending} data-testid="add-comment">Comment</BusyButton>
      {adding.isError && <span className={styles.error} role="alert">{detailOf(adding.error)}</span>}
    </form>
  );
}

import type { StudyFilter } from "../server/types";
import styles from "./worklist_views.module.css";

export type WorklistView = "all" | "unread" | "mine" | "unassigned" | "in_review" | "follow_up";

interface ViewText {
  readonly label: string;
  readonly meaning: string;
  readonly filter: StudyFilter;
}

/** What a reader looks for, and how the server is asked for it. */
export const WORKLIST_VIEWS: Readonly<Record<WorklistView, ViewText>> = {
  all: { label: "All studies", meaning: "Every study that you may see.", filter: {} },
  unread: { label: "Unread", meaning: "Predicted or returned, and not read yet.", filter: { reading: "unread" } },
  mine: { label: "Assigned to me", meaning: "Unread studies that you have taken or were given.", filter: { assigned: "me", reading: "unread" } },
  unassigned: { label: "Unassigned", meaning: "Unread studies that nobody has taken.", filter: { assigned: "nobody", reading: "unread" } },
  in_review: { label: "In review", meaning: "Submitted by a reader and waiting for approval.", filter: { state: ["in_review"] } },
  follow_up: {
    label: "Follow-up due", meaning: "The newest study of its patient was read, and longer ago than the interval for follow-ups.",
    filter: { follow_up: "due" },
  },
};

const VIEWS = Object.keys(WORKLIST_VIEWS) as WorklistView[];

export function isWorklistView(text: string): text is WorklistView {
  return text in WORKLIST_VIEWS;
}

/** The lists that a reader works through, one of them chosen. */
export function WorklistViews({ chosen, count, onChoose }: { chosen: WorklistView; count: number | undefined; onChoose: (view: WorklistView) => void }) {
  return (
    <nav className={styles.views} aria-label="Worklist">
      {VIEWS.map((view) => (
        <button
          key={view} type="button" aria-current={view === chosen ? "true" : undefined} title={WORKLIST_VIEWS[view].meaning}
          onClick={() => onChoose(view)} data-testid={`view-${view}`}
        >
          {WORKLIST_VIEWS[view].label}
          {view === chosen && count !== undefined && <span className="number">{count}</span>}
        </button>
      ))}
    </nav>
  );
}

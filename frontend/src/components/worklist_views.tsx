import type { Action, StudyFilter } from "../server/types";
import styles from "./worklist_views.module.css";

export type WorklistView = "all" | "unread" | "mine" | "unassigned" | "in_review" | "follow_up" | "teaching";

interface ViewText {
  readonly label: string;
  readonly meaning: string;
  readonly filter: StudyFilter;
  /** What it is ordered by before somebody chooses. */
  readonly ordering?: string;
  /** Only those who may do this see the list. */
  readonly action?: Action;
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
  teaching: {
    label: "Teaches most", meaning: "Unread studies by what labelling them would teach the network, with the reasons.",
    filter: { reading: "unread", teaching: "known" }, ordering: "-teaching_score", action: "training.read",
  },
};

const VIEWS = Object.keys(WORKLIST_VIEWS) as WorklistView[];

export function isWorklistView(text: string): text is WorklistView {
  return text in WORKLIST_VIEWS;
}

function isOpenTo(view: WorklistView, actions: readonly Action[]): boolean {
  const { action } = WORKLIST_VIEWS[view];
  return action === undefined || actions.includes(action);
}

interface WorklistViewsProps {
  readonly chosen: WorklistView;
  readonly count: number | undefined;
  readonly actions: readonly Action[];
  onChoose(view: WorklistView): void;
}

/** The lists that a reader works through, one of them chosen. */
export function WorklistViews({ chosen, count, actions, onChoose }: WorklistViewsProps) {
  const shown = VIEWS.filter((view) => isOpenTo(view, actions));
  return (
    <nav className={styles.views} aria-label="Worklist">
      {shown.map((view) => (
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

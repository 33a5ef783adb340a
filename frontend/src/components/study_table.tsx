import { Fragment, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Link, useNavigate } from "react-router";

import type { LesionClass } from "../geometry/labels";
import type { Study } from "../server/types";
import { CLASS_CLAIMS, ClassMark } from "./class_mark";
import { dateText, fullTimeText, nameText, timeText, UNKNOWN } from "./formats";
import { LesionCount } from "./lesion_count";
import { StudyStateBadge } from "./study_state";
import styles from "./study_table.module.css";

export interface Column {
  readonly title: string;
  readonly field?: string;
  readonly lesionClass?: LesionClass;
  readonly className?: string | undefined;
  /** The cell of a study, a `td`. */
  readonly cell: (study: Study) => ReactNode;
}

export const PATIENT: Column = {
  title: "Patient", field: "patient_name",
  cell: (study) => (
    <td className={styles.patient} title={nameText(study.patient.name)}>
      <Link to={`/studies/${study.id}`} onClick={(event) => event.stopPropagation()}>{nameText(study.patient.name)}</Link>
    </td>
  ),
};
export const IDENTIFIER: Column = {
  title: "Patient ID", className: styles.identifier,
  cell: (study) => <td className={styles.identifier} title={study.patient.patient_id}>{study.patient.patient_id}</td>,
};
export const STUDY_DATE: Column = {
  title: "Study date", field: "study_date", className: styles.date,
  cell: (study) => <td className={styles.date}>{dateText(study.study_date)}</td>,
};
export const COUNTS: readonly Column[] = [
  { title: "Active", field: "active_count", lesionClass: "active", className: styles.count, cell: (study) => <CountCell study={study} lesionClass="active" /> },
  { title: "Inactive", field: "inactive_count", lesionClass: "inactive", className: styles.count, cell: (study) => <CountCell study={study} lesionClass="inactive" /> },
];
export const READER: Column = {
  title: "Reader", className: styles.reader,
  cell: (study) => <td className={styles.reader}>{study.assigned_to ?? UNKNOWN}</td>,
};

export const COLUMNS: readonly Column[] = [
  PATIENT,
  IDENTIFIER,
  STUDY_DATE,
  {
    title: "Description", className: styles.description,
    cell: (study) => <td className={styles.description} title={study.study_description}>{study.study_description || UNKNOWN}</td>,
  },
  {
    title: "State", field: "state", className: styles.state,
    cell: (study) => <td className={styles.state}><StudyStateBadge study={study} /></td>,
  },
  ...COUNTS,
  READER,
  {
    title: "Received", field: "received_at", className: styles.received,
    cell: (study) => <td className={styles.received} title={fullTimeText(study.received_at)}>{timeText(study.received_at)}</td>,
  },
];

interface StudyTableProps {
  readonly studies: readonly Study[];
  readonly columns: readonly Column[];
  /** A field, with a minus before it when the largest comes first. */
  readonly ordering: string;
  onOrder(ordering: string): void;
}

/** The worklist as rows; arrows move between them, Enter opens one. */
export function StudyTable({ studies, columns, ordering, onOrder }: StudyTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const navigate = useNavigate();

  const move = (event: KeyboardEvent<HTMLTableSectionElement>) => {
    const rows = [...(body.current?.rows ?? [])];
    const at = rows.indexOf((event.target as HTMLElement).closest("tr") as HTMLTableRowElement);
    const targets: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const target = rows[targets[event.key] ?? -1];
    if (target) {
      event.preventDefault();
      target.querySelector("a")?.focus();
    }
  };

  return (
    <table className={styles.table}>
      <thead>
        <tr>
          {columns.map((column) => (
            <HeaderCell key={column.title} column={column} ordering={ordering} onOrder={onOrder} />
          ))}
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={move}>
        {studies.map((study) => (
          <StudyRow key={study.id} study={study} columns={columns} onOpen={() => navigate(`/studies/${study.id}`)} />
        ))}
      </tbody>
    </table>
  );
}

function HeaderCell({ column, ordering, onOrder }: { column: Column; ordering: string; onOrder: (ordering: string) => void }) {
  const { field, title, lesionClass, className } = column;
  const label = (
    <>
      {lesionClass && <ClassMark lesionClass={lesionClass} size={12} />}
      {title}
    </>
  );
  const claim = lesionClass && `AI: ${CLASS_CLAIMS[lesionClass]}`;
  if (!field) return <th scope="col" className={className}>{label}</th>;
  const isDescending = ordering === `-${field}`;
  const sort = isDescending ? "descending" : ordering === field ? "ascending" : "none";
  return (
    <th scope="col" className={className} aria-sort={sort}>
      <button type="button" title={claim} onClick={() => onOrder(isDescending ? field : `-${field}`)}>
        {label}
        <span className={styles.arrow} aria-hidden>{sort === "descending" ? "↓" : sort === "ascending" ? "↑" : ""}</span>
      </button>
    </th>
  );
}

function StudyRow({ study, columns, onOpen }: { study: Study; columns: readonly Column[]; onOpen: () => void }) {
  return (
    <tr className={styles.row} data-testid="worklist-row" data-study={study.id} onClick={onOpen}>
      {columns.map((column) => <Fragment key={column.title}>{column.cell(study)}</Fragment>)}
    </tr>
  );
}

function CountCell({ study, lesionClass }: { study: Study; lesionClass: LesionClass }) {
  return (
    <td className={styles.count} title={study.counting_rule ?? undefined} data-empty={study.lesion_counts === null || undefined}>
      <LesionCount study={study} lesionClass={lesionClass} />
    </td>
  );
}

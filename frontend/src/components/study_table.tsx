import { useRef, type KeyboardEvent } from "react";
import { Link, useNavigate } from "react-router";

import type { LesionClass } from "../geometry/labels";
import type { Study } from "../server/types";
import { CLASS_CLAIMS, ClassMark } from "./class_mark";
import { dateText, fullTimeText, nameText, timeText, UNKNOWN } from "./formats";
import { StudyStateBadge } from "./study_state";
import styles from "./study_table.module.css";

interface Column {
  readonly title: string;
  readonly field?: string;
  readonly lesionClass?: LesionClass;
  readonly className?: string | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: "Patient", field: "patient_name" },
  { title: "Patient ID", className: styles.identifier },
  { title: "Study date", field: "study_date", className: styles.date },
  { title: "Description" },
  { title: "State", field: "state", className: styles.state },
  { title: "AI active", field: "active_count", lesionClass: "active", className: styles.count },
  { title: "AI inactive", field: "inactive_count", lesionClass: "inactive", className: styles.count },
  { title: "Reader", className: styles.reader },
  { title: "Received", field: "received_at", className: styles.received },
];

interface StudyTableProps {
  readonly studies: readonly Study[];
  /** A field, with a minus before it when the largest comes first. */
  readonly ordering: string;
  onOrder(ordering: string): void;
}

/** The worklist as rows; arrows move between them, Enter opens one. */
export function StudyTable({ studies, ordering, onOrder }: StudyTableProps) {
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
          {COLUMNS.map((column) => (
            <HeaderCell key={column.title} column={column} ordering={ordering} onOrder={onOrder} />
          ))}
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={move}>
        {studies.map((study) => (
          <StudyRow key={study.id} study={study} onOpen={() => navigate(`/studies/${study.id}`)} />
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
  const claim = lesionClass && CLASS_CLAIMS[lesionClass];
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

function StudyRow({ study, onOpen }: { study: Study; onOpen: () => void }) {
  return (
    <tr className={styles.row} data-testid="worklist-row" data-study={study.id} onClick={onOpen}>
      <td className={styles.patient}>
        <Link to={`/studies/${study.id}`} onClick={(event) => event.stopPropagation()}>{nameText(study.patient.name)}</Link>
      </td>
      <td className={styles.identifier}>{study.patient.patient_id}</td>
      <td className={styles.date}>{dateText(study.study_date)}</td>
      <td className={styles.description} title={study.study_description}>{study.study_description || UNKNOWN}</td>
      <td className={styles.state}>
        <StudyStateBadge state={study.state} progress={study.job?.progress} />
      </td>
      <CountCell study={study} lesionClass="active" />
      <CountCell study={study} lesionClass="inactive" />
      <td className={styles.reader}>{study.assigned_to ?? UNKNOWN}</td>
      <td className={styles.received} title={fullTimeText(study.received_at)}>{timeText(study.received_at)}</td>
    </tr>
  );
}

function CountCell({ study, lesionClass }: { study: Study; lesionClass: LesionClass }) {
  const count = study.lesion_counts?.[lesionClass];
  return (
    <td className={styles.count} title={study.counting_rule ?? undefined} data-empty={count === undefined || undefined}>
      {count ?? UNKNOWN}
    </td>
  );
}

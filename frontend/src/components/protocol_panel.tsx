import { useQuery } from "@tanstack/react-query";

import type { Protocol, StudyDetail } from "../server/types";
import { protocolQuery } from "../state/queries";
import { dateText } from "./formats";
import { Loading } from "./loading";
import { Panel } from "./panel";
import { detailOf } from "./problem";
import styles from "./protocol_panel.module.css";
import { differingOf, protocolSummary, VERDICT_MARKS, VERDICT_WORDS } from "./protocol_texts";

type Finding = Protocol["findings"][number];

/** How the FLAIR was taken, against what is recommended and against the prior. */
export function ProtocolPanel({ study }: { readonly study: StudyDetail }) {
  const protocol = useQuery(protocolQuery(study.id));
  return (
    <Panel title="Protocol">
      {protocol.isError && <p className={styles.note} role="alert">{detailOf(protocol.error)}</p>}
      {protocol.isPending && <Loading of="protocol" />}
      {protocol.data && <Findings protocol={protocol.data} />}
    </Panel>
  );
}

function Findings({ protocol }: { readonly protocol: Protocol }) {
  const { findings, prior, comparison } = protocol;
  const sources = [...new Set(findings.flatMap((finding) => finding.recommended_by.split("; ")))];
  const differing = differingOf(comparison);
  return (
    <>
      <details className={styles.findings}>
        <summary data-testid="protocol-summary">{protocolSummary(findings)}</summary>
        <ul className={styles.list}>{findings.map((finding) => <Line key={finding.check} finding={finding} />)}</ul>
        {sources.map((source) => <p key={source} className={styles.note}>{source}</p>)}
      </details>
      {comparison && prior && (
        <div className={styles.prior} data-testid="protocol-prior" data-differs={differing.length > 0}>
          <p>{differing.length > 0 ? `Taken otherwise than on ${dateText(prior.study_date)}:` : `Nothing is known to differ from ${dateText(prior.study_date)}.`}</p>
          <ul className={styles.list}>
            {differing.map(({ check, title, found, prior: then }) => <li key={check} data-verdict="warning">{`${title}: ${found}, then ${then}`}</li>)}
          </ul>
          {comparison.caution && <p className={styles.caution}>{comparison.caution}</p>}
        </div>
      )}
    </>
  );
}

function Line({ finding: { title, found, recommended, verdict } }: { readonly finding: Finding }) {
  return (
    <li data-testid="protocol-finding" data-verdict={verdict}>
      <span aria-hidden>{VERDICT_MARKS[verdict]}</span>
      <span>{`${title}: `}<strong>{found || VERDICT_WORDS[verdict]}</strong>{found && verdict === "warning" ? `, ${VERDICT_WORDS[verdict]}` : ""}</span>
      <small>{recommended}</small>
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";

import type { StudyQuery } from "../server/fetches";
import type { RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { nodeSearchQuery } from "../state/inbox";
import { Loading } from "./loading";
import styles from "./outbox.module.css";
import { Problem } from "./problem";
import { RemoteStudyTable } from "./remote_study_table";

interface NodeAnswerProps {
  readonly node: RemoteNode;
  readonly number: number;
  readonly query: StudyQuery;
  readonly isOneOfSeveral: boolean;
  readonly me: Me;
}

/** What one node has that matches a search, or why it could not be asked. */
export function NodeAnswer({ node, number, query, isOneOfSeveral, me }: NodeAnswerProps) {
  const found = useQuery(nodeSearchQuery(node.id, number, query));
  return (
    <section className={styles.answer} aria-label={`Studies at ${node.name}`} aria-busy={found.isPending} data-testid="node-answer">
      {isOneOfSeveral && <h2>{node.name}</h2>}
      {found.isPending && <Loading of={`the answer of ${node.name}`} />}
      {found.isError && <Problem error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <RemoteStudyTable node={node.id} found={found.data} me={me} />}
    </section>
  );
}

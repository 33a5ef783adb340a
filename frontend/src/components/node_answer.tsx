import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";

import type { StudyQuery } from "../server/fetches";
import type { RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { nodeSearchQuery } from "../state/inbox";
import { Icon } from "./icons";
import { Loading } from "./loading";
import { sentence } from "./node_words";
import styles from "./outbox.module.css";
import { detailOf, Notice } from "./problem";
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
  const section = useRef<HTMLElement>(null);
  const askAgain = () => {
    // The button goes while the node is asked; who pressed it by a key stays in this place.
    section.current?.focus();
    void found.refetch();
  };
  return (
    <section ref={section} tabIndex={-1} className={styles.answer} aria-label={`Studies at ${node.name}`} aria-busy={found.isPending} data-testid="node-answer">
      {isOneOfSeveral && <h2>{node.name}</h2>}
      {found.isPending && <Loading of={`the answer of ${node.name}`} />}
      {found.isError && (
        <Notice tone="alert" icon="warning" title={`${node.name} could not be asked`}>
          <p>{sentence(detailOf(found.error))}</p>
          <Button variant="default" onClick={askAgain} leftSection={<Icon name="retry" />}>Try again</Button>
        </Notice>
      )}
      {found.data && <RemoteStudyTable node={node.id} found={found.data} me={me} />}
    </section>
  );
}

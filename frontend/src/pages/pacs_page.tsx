import { Button } from "@mantine/core";
import { useIsFetching, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { Loading } from "../components/loading";
import { NodeAnswer } from "../components/node_answer";
import { PacsSearchForm } from "../components/pacs_search_form";
import { usePageTitle } from "../components/page_title";
import { Notice, Problem } from "../components/problem";
import type { StudyQuery } from "../server/fetches";
import type { RemoteNode } from "../server/nodes";
import type { Me } from "../server/types";
import { NODE_SEARCH } from "../state/inbox";
import { nodesQuery } from "../state/outbox";
import styles from "./plain_page.module.css";

/** A search as it was asked for; asked once more, it has another number. */
interface Search {
  readonly number: number;
  readonly nodes: readonly RemoteNode[];
  readonly query: StudyQuery;
}

/** Studies of remote nodes, searched for and fetched; each node answers by itself, and none waits for another. */
export function PacsPage({ me }: { me: Me }) {
  usePageTitle("Search the PACS");
  const nodes = useQuery(nodesQuery);
  const active = nodes.data?.filter(({ is_active }) => is_active) ?? [];
  const [search, setSearch] = useState<Search | null>(null);
  const isSearching = useIsFetching({ queryKey: [NODE_SEARCH] }) > 0;
  const ask = (asked: readonly RemoteNode[], query: StudyQuery) =>
    setSearch((before) => ({ number: (before?.number ?? 0) + 1, nodes: asked, query }));
  return (
    <div className={styles.page} data-testid="pacs-page">
      <h1>Search the PACS</h1>
      <p className={styles.lead}>Remote nodes are asked what they have; a study is fetched from one as it is kept there, and read like any other.</p>
      {nodes.isPending && <Loading of="nodes" />}
      {nodes.isError && <Problem error={nodes.error} onRetry={() => void nodes.refetch()} />}
      {nodes.data && active.length === 0 && <NoNode canManage={me.actions.includes("node.manage")} />}
      {active.length > 0 && <PacsSearchForm nodes={active} isSearching={isSearching} onSearch={ask} />}
      {search?.nodes.map((node) => (
        <NodeAnswer key={node.id} node={node} number={search.number} query={search.query} isOneOfSeveral={search.nodes.length > 1} me={me} />
      ))}
    </div>
  );
}

function NoNode({ canManage }: { canManage: boolean }) {
  return (
    <Notice tone="quiet" icon="info" title="No remote node is in use">
      <p>{canManage ? "A node is a PACS or an archive that can be asked; set one up, or make one active again." : "An administrator sets up the PACS and the archives that can be asked."}</p>
      {canManage && <Button component={Link} to="/nodes" variant="default">Nodes</Button>}
    </Notice>
  );
}

import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { Loading } from "../components/loading";
import { PacsSearchForm } from "../components/pacs_search_form";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { RemoteStudyTable } from "../components/remote_study_table";
import { searchNode, type StudyQuery } from "../server/fetches";
import type { Me } from "../server/types";
import { nodesQuery } from "../state/outbox";
import styles from "./plain_page.module.css";

/** Studies of a remote node, searched for and fetched. */
export function PacsPage({ me }: { me: Me }) {
  usePageTitle("Search the PACS");
  const nodes = useQuery(nodesQuery);
  const active = nodes.data?.filter(({ is_active }) => is_active) ?? [];
  const search = useMutation({
    mutationFn: async ({ node, query }: { node: string; query: StudyQuery }) => ({ node, found: await searchNode(node, query) }),
  });
  return (
    <div className={styles.page} data-testid="pacs-page">
      <h1>Search the PACS</h1>
      <p className={styles.lead}>A remote node is asked what it has; a study is fetched from it as it is kept there, and read like any other.</p>
      {nodes.isPending && <Loading of="nodes" />}
      {nodes.isError && <Problem error={nodes.error} onRetry={() => void nodes.refetch()} />}
      {nodes.data && active.length === 0 && <NoNode canManage={me.actions.includes("node.manage")} />}
      {active.length > 0 && <PacsSearchForm nodes={active} isSearching={search.isPending} onSearch={(node, query) => search.mutate({ node, query })} />}
      {search.isError && <Problem error={search.error} />}
      {search.data && !search.isError && <RemoteStudyTable node={search.data.node} found={search.data.found} me={me} />}
    </div>
  );
}

function NoNode({ canManage }: { canManage: boolean }) {
  return (
    <p className={styles.dim}>
      No remote node is in use. {canManage ? <Link to="/nodes">Connect one</Link> : "An administrator connects them."}
    </p>
  );
}

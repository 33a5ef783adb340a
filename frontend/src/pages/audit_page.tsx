import { Code } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { AuditFilter, queryOf } from "../components/audit_filter";
import { AuditTable } from "../components/audit_table";
import { BusyButton } from "../components/busy_button";
import { countText } from "../components/formats";
import { Loading } from "../components/loading";
import { useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import type { Me } from "../server/types";
import { auditQuery } from "../state/audit";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;

/** Who did what to which record, and when. */
export function AuditPage({ me }: { me: Me }) {
  usePageTitle("Audit");
  const filter = usePageFilter();
  const query = queryOf(filter);
  const events = useQuery(auditQuery({ page: filter.page, page_size: PAGE_SIZE, ...query }));
  useExistingPage(filter, events.error);
  const count = events.data?.count ?? 0;
  return (
    <div className={styles.page} data-testid="audit-page">
      <div className={styles.title}>
        <h1>Audit</h1>
        <BusyButton variant="default" size="xs" isBusy={events.isFetching} onClick={() => void events.refetch()}>Refresh</BusyButton>
      </div>
      <p className={styles.lead}>
        Who did what, and when, the newest first; of the platform itself as “system”. Events are only ever added, never changed or deleted.
        Looking at them is on record too.
      </p>
      <AuditFilter {...filter} />
      {events.isError && <Problem error={events.error} onRetry={() => void events.refetch()} />}
      {events.isPending && <Loading of="events" />}
      {events.data && <AuditTable events={events.data.results} me={me} isFiltered={Object.keys(query).length > 0} />}
      {query.object && count > 0 && <p className={styles.lead}>These are about this very record: versions, jobs and transfers of a study have ids of their own.</p>}
      {count > 0 && <p className={styles.lead}>{`${countText(count, "event")} ${Object.keys(query).length > 0 ? "found" : "in all"}`}</p>}
      <PageSteps count={count} pageSize={PAGE_SIZE} page={filter.page} onChange={(to) => filter.change({ page: String(to) })} />
      <Chain />
    </div>
  );
}

/** What makes the list one that can be believed, and how to check that it is whole. */
function Chain() {
  return (
    <>
      <h2>The chain</h2>
      <p className={styles.lead}>
        The hash of each event is a SHA-256 over the event and the hash of the one before it, so that none can be changed, left out or put in
        between unnoticed. <Code>python manage.py verify_audit</Code> at the machine checks all of them and tells the number and hash of the
        newest. Keep those elsewhere: with <Code>--anchor NUMBER:HASH</Code> a later check also finds an end that was cut off, or a chain that was
        made anew.
      </p>
    </>
  );
}

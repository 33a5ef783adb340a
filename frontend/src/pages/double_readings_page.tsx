import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { BusyButton } from "../components/busy_button";
import { DoubleReadingForm } from "../components/double_reading_form";
import { DoubleReadingTable } from "../components/double_reading_table";
import { Loading } from "../components/loading";
import { useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import type { Me } from "../server/types";
import { useLiveDoubleReadings } from "../state/live_pages";
import { doubleReadingsQuery } from "../state/queries";
import styles from "./plain_page.module.css";

/** Each names its study, which is asked for by itself. */
const PAGE_SIZE = 50;

/** Studies that two readers read without seeing each other, with their agreement and who decides. */
export function DoubleReadingsPage({ me }: { me: Me }) {
  usePageTitle("Double readings");
  useLiveDoubleReadings();
  const filter = usePageFilter();
  const readings = useQuery({ ...doubleReadingsQuery({ page: filter.page, page_size: PAGE_SIZE }), placeholderData: keepPreviousData });
  useExistingPage(filter, readings.error);
  const canManage = me.actions.includes("reading.manage");
  const [isAsking, ask] = useState(false);
  return (
    <div className={styles.page} data-testid="double-readings-page">
      <div className={styles.title}>
        <h1>Double readings</h1>
        {canManage && !isAsking && <BusyButton onClick={() => ask(true)} data-testid="new-double-reading">New double reading</BusyButton>}
      </div>
      <p className={styles.lead}>Two readers read one study and see nothing of each other; a third sees both and decides.</p>
      {isAsking && <DoubleReadingForm onDone={() => ask(false)} />}
      {readings.isError && <Problem error={readings.error} onRetry={() => void readings.refetch()} />}
      {readings.isPending && <Loading of="double readings" />}
      {readings.data && <DoubleReadingTable readings={readings.data.results} me={me} />}
      <PageSteps count={readings.data?.count ?? 0} pageSize={PAGE_SIZE} page={filter.page} onChange={(to) => filter.change({ page: String(to) })} />
    </div>
  );
}

import { Progress } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";

import { BusyButton } from "../components/busy_button";
import { countText, dateText, timeText } from "../components/formats";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { RerunForm } from "../components/rerun_form";
import { cancelRerun, type Rerun } from "../server/reruns";
import type { Me, ModelVersion } from "../server/types";
import { modelsQuery, queryClient } from "../state/queries";
import { isUnderway, progressOf, rerunsQuery } from "../state/reruns";
import styles from "./plain_page.module.css";

/** Many studies read again by the champion, for administrators. */
export function RerunsPage({ me }: { me: Me }) {
  usePageTitle("Re-runs");
  const reruns = useQuery(rerunsQuery);
  const models = useQuery(modelsQuery).data ?? [];
  return (
    <div className={styles.page} data-testid="reruns-page">
      <h1>Re-runs</h1>
      <p className={styles.lead}>
        The champion reads studies again that another version has read. New studies go first, a study keeps its result until the new one is
        there, and old results keep their stamp.
      </p>
      <RerunForm me={me} />
      {reruns.isError && <Problem error={reruns.error} onRetry={() => void reruns.refetch()} />}
      {reruns.isPending && <Loading of="re-runs" />}
      {reruns.data?.length === 0 && <p className={styles.dim}>Nothing was read again yet.</p>}
      {reruns.data && reruns.data.length > 0 && <RerunTable reruns={reruns.data} models={models} />}
    </div>
  );
}

function RerunTable({ reruns, models }: { reruns: readonly Rerun[]; models: readonly ModelVersion[] }) {
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Re-runs">
        <thead>
          <tr>
            <th>Asked for</th>
            <th>By</th>
            <th>Champion then</th>
            <th>Studies</th>
            <th>Progress</th>
            <th><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{reruns.map((rerun) => <RerunLine key={rerun.id} rerun={rerun} models={models} />)}</tbody>
      </table>
    </div>
  );
}

function RerunLine({ rerun, models }: { rerun: Rerun; models: readonly ModelVersion[] }) {
  const { done, of } = progressOf(rerun);
  const cancelling = useMutation({
    mutationFn: () => cancelRerun(rerun.id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["reruns"] }),
  });
  return (
    <tr data-testid="rerun-row" data-done={done} data-of={of}>
      <td className={styles.keep}>{timeText(rerun.created)}</td>
      <td className={styles.keep}>{rerun.requested_by}</td>
      <td className={styles.keep}>{`${rerun.model.name} ${rerun.model.version}`}</td>
      <td>
        {selectionText(rerun, models)}
        {Object.entries(rerun.left_out).map(([reason, count]) => <div key={reason} className={styles.dim}>{`Left out, ${count}: ${reason}`}</div>)}
      </td>
      <td className={styles.wide}>
        <Progress value={of > 0 ? (100 * done) / of : 100} size="sm" aria-label={`Progress of the re-run of ${timeText(rerun.created)}`} />
        {`${done} of ${countText(of, "study", "studies")}`}
        <div className={styles.dim}>{standingText(rerun)}</div>
        {cancelling.isError && <Problem error={cancelling.error} />}
      </td>
      <td className={styles.right}>
        {isUnderway(rerun) && rerun.cancelled_at === null && (
          <BusyButton size="compact-sm" variant="default" isBusy={cancelling.isPending} onClick={() => cancelling.mutate()}>Cancel</BusyButton>
        )}
      </td>
    </tr>
  );
}

function selectionText({ sites, selection }: Rerun, models: readonly ModelVersion[]): string {
  const model = models.find(({ id }) => id === selection.model);
  return [
    sites.join(", "),
    selection.studied_from && `from ${dateText(selection.studied_from)}`,
    selection.studied_until && `until ${dateText(selection.studied_until)}`,
    selection.model && `last read by ${model ? `${model.name} ${model.version}` : selection.model}`,
  ].filter(Boolean).join(", ");
}

function standingText({ standing }: Rerun): string {
  return Object.entries(standing).filter(([, count]) => count > 0).map(([state, count]) => `${state} ${count}`).join(", ");
}

import { Badge } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";

import { endSessions, type Session } from "../server/account";
import { refreshAccount, sessionsQuery } from "../state/account";
import styles from "./account.module.css";
import { browserText } from "./browser_text";
import { BusyButton } from "./busy_button";
import { fullTimeText } from "./formats";
import { Loading } from "./loading";
import { Problem } from "./problem";
import table from "./table.module.css";

/** Where the account is open now; what its owner does not know, they end. */
export function SessionTable() {
  const sessions = useQuery(sessionsQuery);
  const ending = useMutation({ mutationFn: endSessions, onSettled: refreshAccount });
  const others = sessions.data?.filter(({ is_current }) => !is_current).map(({ id }) => id) ?? [];
  return (
    <section className={styles.panel} aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      {sessions.isError && <Problem error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {ending.isError && <Problem error={ending.error} />}
      {sessions.isPending && <Loading of="sessions" />}
      {sessions.data && (
        <div className={table.card}>
          <table className={table.table} aria-label="Sessions">
            <thead><tr><th>Browser</th><th>Address</th><th>Signed in</th><th aria-label="Actions" /></tr></thead>
            <tbody>
              {sessions.data.map((session) => (
                <Line key={session.id} session={session} isBusy={ending.isPending && ending.variables.includes(session.id)} onEnd={() => ending.mutate([session.id])} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {others.length > 1 && (
        <BusyButton variant="default" className={styles.button} isBusy={ending.isPending} onClick={() => ending.mutate(others)}>
          End all others
        </BusyButton>
      )}
    </section>
  );
}

function Line({ session, isBusy, onEnd }: { session: Session; isBusy: boolean; onEnd: () => void }) {
  return (
    <tr data-testid="session-row" data-current={session.is_current}>
      <td title={session.user_agent}>{browserText(session.user_agent)}</td>
      <td>{session.ip}</td>
      <td>{fullTimeText(new Date(session.created_at * 1000).toISOString())}</td>
      <td className={styles.end}>
        {session.is_current
          ? <Badge size="sm" variant="light" color="teal">this one</Badge>
          : <BusyButton variant="default" size="compact-xs" isBusy={isBusy} onClick={onEnd}>End</BusyButton>}
      </td>
    </tr>
  );
}

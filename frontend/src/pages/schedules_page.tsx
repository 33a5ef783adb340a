import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { BusyButton } from "../components/busy_button";
import { CarefulButton } from "../components/careful_button";
import { Followed } from "../components/fetched";
import { countText, UNKNOWN, zonedTimeText } from "../components/formats";
import { Loading } from "../components/loading";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { ScheduleForm } from "../components/schedule_form";
import { removeSchedule, setActive, type Firing, type Schedule } from "../server/schedules";
import type { Me } from "../server/types";
import { queryClient } from "../state/queries";
import { firingsQuery, schedulesQuery } from "../state/training";
import styles from "./plain_page.module.css";

/** When a network learns by itself, and what became of each time, for administrators. */
export function SchedulesPage({ me }: { me: Me }) {
  usePageTitle("Schedules");
  const schedules = useQuery(schedulesQuery);
  const [isMaking, make] = useState(false);
  const canManage = me.actions.includes("training.manage");
  return (
    <div className={styles.page} data-testid="schedules-page">
      <div className={styles.title}>
        <h1>Schedules</h1>
        {canManage && !isMaking && <BusyButton onClick={() => make(true)} data-testid="new-schedule">New schedule</BusyButton>}
      </div>
      <p className={styles.lead}>
        {`When enough was newly approved, a schedule freezes it and queues a run. The candidate waits at the gate for a person. All times are those of the department: ${me.time_zone}.`}
      </p>
      {isMaking && <ScheduleForm onDone={() => make(false)} />}
      {schedules.isError && <Problem error={schedules.error} onRetry={() => void schedules.refetch()} />}
      {schedules.isPending && <Loading of="schedules" />}
      {schedules.data?.length === 0 && <p className={styles.dim}>Nothing is scheduled.</p>}
      {schedules.data?.map((schedule) => <ScheduleCard key={schedule.id} schedule={schedule} canManage={canManage} timeZone={me.time_zone} />)}
    </div>
  );
}

function ScheduleCard({ schedule, canManage, timeZone }: { schedule: Schedule; canManage: boolean; timeZone: string }) {
  const { id, name, sites, cron, minimum_new_studies, is_active, author, next_due_at, new_studies } = schedule;
  const changing = useMutation({ mutationFn: () => setActive(schedule, !is_active), onSettled: refresh });
  const removing = useMutation({ mutationFn: () => removeSchedule(id), onSettled: refresh });
  return (
    <article className={styles.card} data-testid="schedule-card" aria-label={name}>
      <table className={styles.table}>
        <tbody>
          <tr>
            <td className={styles.wide}>
              <strong>{name}</strong>
              <div className={styles.dim}>{`${sites.join(", ")}, on behalf of ${author}`}</div>
            </td>
            <td className={styles.keep}>
              <code>{cron}</code>
              <div className={styles.dim}>{windowText(schedule)}</div>
            </td>
            <td>
              {`${countText(new_studies, "study", "studies")} newly approved, ${minimum_new_studies} needed`}
              <div className={styles.dim}>{`${schedule.recipe.steps ?? UNKNOWN} steps, ${schedule.recipe.max_minutes ?? UNKNOWN} minutes at most`}</div>
            </td>
            <td className={styles.keep}>{is_active ? `next ${zonedTimeText(next_due_at, timeZone)}` : "paused"}</td>
            <td>
              <div className={`${styles.actions} ${styles.ends}`}>
                {canManage && <BusyButton size="compact-sm" variant="default" isBusy={changing.isPending} onClick={() => changing.mutate()}>{is_active ? "Pause" : "Go on"}</BusyButton>}
                {canManage && (
                  <CarefulButton
                    label="Remove …" question="Remove it with its record" size="compact-sm" isBusy={removing.isPending}
                    onSure={() => removing.mutate()} testId="remove-schedule"
                  />
                )}
              </div>
            </td>
          </tr>
        </tbody>
      </table>
      {changing.isError && <Problem error={changing.error} />}
      {removing.isError && <Problem error={removing.error} />}
      <Firings schedule={id} timeZone={timeZone} />
    </article>
  );
}

function Firings({ schedule, timeZone }: { schedule: string; timeZone: string }) {
  return <Followed query={useQuery(firingsQuery(schedule))} of="firings">{(firings) => <FiringTable firings={firings} timeZone={timeZone} />}</Followed>;
}

function FiringTable({ firings, timeZone }: { firings: readonly Firing[]; timeZone: string }) {
  if (firings.length === 0) return <p className={styles.remark}>It was not due yet.</p>;
  return (
    <table className={styles.table} aria-label="What it did each time that it was due">
      <tbody>
        {firings.map(({ id, due_at, state, line }) => (
          <tr key={id} data-testid="firing-row" data-state={state}>
            <td className={styles.keep}>{zonedTimeText(due_at, timeZone)}</td>
            <td className={styles.keep}>{state}</td>
            <td>{line}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function windowText({ window_from, window_until }: Schedule): string {
  return window_from && window_until ? `learns from ${window_from.slice(0, 5)} until ${window_until.slice(0, 5)}` : "learns at any time";
}

function refresh(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["schedules"] });
}

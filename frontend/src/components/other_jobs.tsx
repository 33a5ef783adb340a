import { useQuery } from "@tanstack/react-query";

import styles from "./outbox.module.css";
import { cancelReading, retryReading, type ShadowReading } from "../server/shadow";
import { cancelRegistration, retryRegistration, type Registration } from "../server/workers";
import type { Me } from "../server/types";
import { modelsQuery, queryClient } from "../state/queries";
import { readingsQuery, shadowQuery } from "../state/shadow";
import { isLive, isRetryable } from "../state/training";
import { registrationsQuery } from "../state/workers";
import { timeText, UNKNOWN } from "./formats";
import { JobAction } from "./job_card";
import { Loading } from "./loading";
import { Problem } from "./problem";
import { StudyLink } from "./study_link";

/** How heads moved between visits: found by themselves, or asked for; one that failed or was cancelled can be tried again. */
export function RegistrationJobs({ me }: { me: Me }) {
  const registrations = useQuery(registrationsQuery);
  if (registrations.isError) return <Problem error={registrations.error} onRetry={() => void registrations.refetch()} />;
  if (!registrations.data) return <Loading of="registrations" />;
  if (registrations.data.length === 0) return <p className={styles.none}>No study was registered to a prior yet.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Registrations">
        <thead>
          <tr><th>Requested</th><th>Study</th><th>State</th><th>Seconds</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{registrations.data.map((one) => <RegistrationLine key={one.id} registration={one} me={me} />)}</tbody>
      </table>
    </div>
  );
}

function RegistrationLine({ registration, me }: { registration: Registration; me: Me }) {
  const refresh = () => queryClient.invalidateQueries({ queryKey: registrationsQuery.queryKey });
  const { study, state, reason, seconds, created } = registration;
  return (
    <tr data-testid="registration-row" data-state={state}>
      <td className={styles.keep}>{timeText(created)}</td>
      <td className={styles.keep}><StudyLink study={study} /></td>
      <td className={styles.wide}>
        {state}
        {reason && <div className={styles.hint}>{reason}</div>}
      </td>
      <td>{seconds?.toFixed(1) ?? UNKNOWN}</td>
      <td className={styles.right}>
        {isLive(registration) && me.actions.includes("job.cancel") && (
          <JobAction label="Cancel" study={study} action={() => cancelRegistration(registration.id).finally(refresh)} />
        )}
        {isRetryable(registration) && me.actions.includes("inference.request") && (
          <JobAction label="Retry" study={study} action={() => retryRegistration(registration).finally(refresh)} />
        )}
      </td>
    </tr>
  );
}

/** What the model in shadow was given to read, the newest first. */
export function ShadowJobs() {
  const models = useQuery(modelsQuery);
  if (models.isError) return <Problem error={models.error} onRetry={() => void models.refetch()} />;
  if (!models.data) return <Loading of="models" />;
  const model = models.data.find(({ stage }) => stage === "shadow");
  return model ? <ReadingTable model={model.id} /> : <p className={styles.none}>No model reads along.</p>;
}

function ReadingTable({ model }: { model: string }) {
  const readings = useQuery(readingsQuery(model));
  if (readings.isError) return <Problem error={readings.error} onRetry={() => void readings.refetch()} />;
  if (!readings.data) return <Loading of="readings" />;
  if (readings.data.length === 0) return <p className={styles.none}>No study came since it reads along.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Readings in shadow">
        <thead>
          <tr><th>Requested</th><th>Study</th><th>State</th><th>Seconds</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{readings.data.toReversed().map((reading) => <ReadingLine key={reading.id} reading={reading} model={model} />)}</tbody>
      </table>
    </div>
  );
}

function ReadingLine({ reading, model }: { reading: ShadowReading; model: string }) {
  const { id, study, state, reason, created, network_seconds: seconds } = reading;
  const refresh = () => queryClient.invalidateQueries({ queryKey: shadowQuery(model).queryKey });
  return (
    <tr data-testid="reading-row" data-state={state}>
      <td className={styles.keep}>{timeText(created)}</td>
      <td className={styles.keep}><StudyLink study={study} /></td>
      <td className={styles.wide}>
        {state}
        {reason && <div className={styles.hint}>{reason}</div>}
      </td>
      <td>{seconds?.toFixed(1) ?? UNKNOWN}</td>
      <td className={styles.right}>
        {isLive(reading) && <JobAction label="Cancel" study={study} action={() => cancelReading(id).finally(refresh)} />}
        {isRetryable(reading) && <JobAction label="Retry" study={study} action={() => retryReading(id).finally(refresh)} />}
      </td>
    </tr>
  );
}

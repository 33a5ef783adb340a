import { useQuery } from "@tanstack/react-query";

import styles from "./outbox.module.css";
import { cancelReading, retryReading, type ShadowReading } from "../server/shadow";
import { cancelRegistration, retryRegistration, type Registration } from "../server/workers";
import type { Me } from "../server/types";
import { modelsQuery, queryClient } from "../state/queries";
import { readingsQuery, shadowQuery } from "../state/shadow";
import { isLive, isRetryable } from "../state/training";
import { registrationsQuery } from "../state/workers";
import { Followed } from "./fetched";
import { timeText, UNKNOWN } from "./formats";
import { JobAction } from "./job_card";
import { StudyLink } from "./study_link";

/** How heads moved between visits: found by themselves, or asked for; one that failed or was cancelled can be tried again. */
export function RegistrationJobs({ me }: { me: Me }) {
  const registrations = useQuery(registrationsQuery);
  return <Followed query={registrations} of="registrations">{(found) => <RegistrationTable registrations={found} me={me} />}</Followed>;
}

function RegistrationTable({ registrations, me }: { registrations: readonly Registration[]; me: Me }) {
  if (registrations.length === 0) return <p className={styles.none}>No study was registered to a prior yet.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Registrations">
        <thead>
          <tr><th>Requested</th><th>Study</th><th>State</th><th>Seconds</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{registrations.map((one) => <RegistrationLine key={one.id} registration={one} me={me} />)}</tbody>
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
  return (
    <Followed query={models} of="models">
      {(all) => {
        const model = all.find(({ stage }) => stage === "shadow");
        return model ? <Readings model={model.id} /> : <p className={styles.none}>No model reads along.</p>;
      }}
    </Followed>
  );
}

function Readings({ model }: { model: string }) {
  const readings = useQuery(readingsQuery(model));
  return <Followed query={readings} of="readings">{(found) => <ReadingTable readings={found} model={model} />}</Followed>;
}

function ReadingTable({ readings, model }: { readings: readonly ShadowReading[]; model: string }) {
  if (readings.length === 0) return <p className={styles.none}>No study came since it reads along.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Readings in shadow">
        <thead>
          <tr><th>Requested</th><th>Study</th><th>State</th><th>Seconds</th><th><span className="visually-hidden">Actions</span></th></tr>
        </thead>
        <tbody>{readings.toReversed().map((reading) => <ReadingLine key={reading.id} reading={reading} model={model} />)}</tbody>
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

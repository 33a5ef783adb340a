import { Badge } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { endShadow, startShadow, type Means, type Shadow, type ShadowReading } from "../server/shadow";
import type { Me, ModelVersion } from "../server/types";
import { queryClient } from "../state/queries";
import { readingsQuery, shadowQuery } from "../state/shadow";
import { refreshModels } from "../state/training";
import { BusyButton } from "./busy_button";
import { countText, fullTimeText, timeText } from "./formats";
import styles from "./gate_panel.module.css";
import { Problem } from "./problem";
import { ShadowChart } from "./shadow_chart";

const FAILURES_SHOWN = 3;

/** Lets a candidate read along, and shows how far it and the champion are apart, and which of them the readers follow. */
export function ShadowPanel({ model, me }: { model: ModelVersion; me: Me }) {
  const shadow = useQuery({ ...shadowQuery(model.id), enabled: model.origin !== "shipped" });
  const changing = useMutation({
    mutationFn: () => (model.stage === "shadow" ? endShadow(model.id) : startShadow(model.id)),
    onSettled: () => {
      refreshModels();
      return queryClient.invalidateQueries({ queryKey: ["shadow", model.id] });
    },
  });
  const mayChange = me.actions.includes("model.manage") && (model.stage === "shadow" || model.stage === "candidate");
  if (model.origin === "shipped" || (!shadow.data && !shadow.isError && !mayChange)) return null;
  return (
    <section className={styles.panel} aria-label={`Shadow of ${model.version}`} data-testid="shadow">
      <h3 className={styles.title}>
        Shadow
        {shadow.data && <Badge size="sm" variant="light" color={shadow.data.ended_at ? "gray" : "indigo"}>{shadow.data.ended_at ? "ended" : "reads along"}</Badge>}
        {shadow.data && <span className={styles.dim}>{periodText(shadow.data)}</span>}
      </h3>
      {shadow.isError && <Problem error={shadow.error} onRetry={() => void shadow.refetch()} />}
      {shadow.data ? <Standing model={model} shadow={shadow.data} /> : <p className={styles.dim}>It has not read along yet.</p>}
      {changing.isError && <Problem error={changing.error} />}
      {mayChange && (
        <BusyButton variant="default" w="fit-content" isBusy={changing.isPending} onClick={() => changing.mutate()} data-testid="change-shadow">
          {model.stage === "shadow" ? "End the shadow" : "Let it read along, unseen by readers"}
        </BusyButton>
      )}
    </section>
  );
}

function periodText({ started_at: start, started_by: by, ended_at: end, ended_by: ender }: Shadow): string {
  const ended = end ? `, until ${fullTimeText(end)} by ${ender ?? "the promotion"}` : "";
  return `since ${fullTimeText(start)} by ${by}${ended}`;
}

function Standing({ model, shadow }: { model: ModelVersion; shadow: Shadow }) {
  const readings = useQuery(readingsQuery(model.id));
  const { succeeded, queued, running, failed } = shadow.counts;
  return (
    <>
      <p className={styles.dim}>{`${countText(succeeded, "study", "studies")} read, ${queued + running} to be read, ${failed} failed. Readers never see its answers.`}</p>
      {shadow.against_champion && <MeansTable shadow={shadow} />}
      {readings.isError && <Problem error={readings.error} onRetry={() => void readings.refetch()} />}
      {readings.data && succeeded > 0 && <ShadowChart readings={readings.data} />}
      {readings.data && <Failures readings={readings.data} />}
    </>
  );
}

function MeansTable({ shadow }: { shadow: Shadow }) {
  return (
    <div>
      <table className={styles.table} aria-label="Means in shadow">
        <thead>
          <tr><th>Mean</th><th>Studies</th><th>Dice, any plaque</th><th>Lesion F1</th><th>Class agreement</th></tr>
        </thead>
        <tbody>
          <MeansLine name="With the champion" means={shadow.against_champion} />
          <MeansLine name="With the readers' final version" means={shadow.against_final} />
          <MeansLine name="The champion with the readers, on the same studies" means={shadow.champion_against_final} />
        </tbody>
      </table>
      <p className={styles.dim}>{`${shadow.rule}. AI-predicted active (FLAIR only); research use only.`}</p>
    </div>
  );
}

function MeansLine({ name, means }: { name: string; means: Means | null }) {
  return (
    <tr data-testid="shadow-means">
      <td>{name}</td>
      <td>{means?.studies ?? 0}</td>
      <td>{means ? means.dice.toFixed(3) : "–"}</td>
      <td>{means ? means.lesion_f1.toFixed(3) : "–"}</td>
      <td>{means && means.class_agreement !== null ? means.class_agreement.toFixed(3) : "–"}</td>
    </tr>
  );
}

function Failures({ readings }: { readings: readonly ShadowReading[] }) {
  const failed = readings.filter(({ state }) => state === "failed").slice(-FAILURES_SHOWN);
  return failed.map((reading) => (
    <p key={reading.id} className={styles.dim} data-testid="shadow-failure">
      {`${timeText(reading.created)}: `}
      <Link to={`/studies/${reading.study}`}>a study</Link>
      {` could not be read: ${reading.reason}`}
    </p>
  ));
}

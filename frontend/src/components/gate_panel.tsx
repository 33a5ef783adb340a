import { Badge, Checkbox, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { cancelEvaluation, promoteModel, requestEvaluation, rollBackModel, type GateVerdict, type Interval } from "../server/training";
import type { ModelVersion } from "../server/types";
import { evaluationsQuery, isLive, refreshModels, verdictQuery } from "../state/training";
import { BusyButton } from "./busy_button";
import { CarefulButton } from "./careful_button";
import styles from "./gate_panel.module.css";
import { JobAction } from "./job_card";
import { Notice, Problem } from "./problem";
import { Proof, proofIn } from "./proof";

interface GatePanelProps {
  readonly model: ModelVersion;
  readonly canManage: boolean;
}

/** What the gate said of a model, and what an administrator may do about it. */
export function GatePanel({ model, canManage }: GatePanelProps) {
  const verdict = useQuery({ ...verdictQuery(model.id), enabled: model.origin !== "shipped" });
  if (model.origin === "shipped") return null;
  const isCandidate = (model.stage === "candidate" || model.stage === "shadow") && verdict.data !== undefined;
  return (
    <section className={styles.panel} aria-label={`Gate of ${model.version}`} data-testid="gate">
      {verdict.isError && <Problem error={verdict.error} onRetry={() => void verdict.refetch()} />}
      {verdict.data && <VerdictTable verdict={verdict.data} />}
      {verdict.data === null && <p className={styles.dim}>The gate has not judged it: it has not been tried on our own test patients.</p>}
      {canManage && isCandidate && !verdict.data?.is_current && <EvaluationLine model={model} />}
      {canManage && isCandidate && <PromotionForm model={model} verdict={verdict.data ?? null} />}
      {canManage && model.stage === "champion" && <Rollback model={model} />}
    </section>
  );
}

/** A candidate without a verdict of today is tried beside the champion, by the worker that trains. */
function EvaluationLine({ model }: { model: ModelVersion }) {
  const evaluations = useQuery(evaluationsQuery(model.id));
  const asking = useMutation({ mutationFn: () => requestEvaluation(model.id), onSettled: refreshModels });
  const newest = evaluations.data?.[0];
  return (
    <>
      {newest && isLive(newest) && (
        <div className={styles.line}>
          <p className={styles.dim} data-testid="evaluation-state">{`It is being tried on our test patients: ${newest.state}.`}</p>
          <JobAction label="Cancel" action={() => cancelEvaluation(newest.id).finally(refreshModels)} />
        </div>
      )}
      {newest?.state === "failed" && <Notice tone="caution" icon="info" title="It could not be tried"><p>{newest.reason}</p></Notice>}
      {asking.isError && <Problem error={asking.error} />}
      {!(newest && isLive(newest)) && (
        <BusyButton variant="default" w="fit-content" isBusy={asking.isPending} onClick={() => asking.mutate()} data-testid="evaluate">
          Try it on our test patients
        </BusyButton>
      )}
    </>
  );
}

function VerdictTable({ verdict }: { verdict: GateVerdict }) {
  return (
    <>
      <h3 className={styles.title}>
        Gate
        <Badge size="sm" variant="light" color={verdict.is_passed ? "teal" : "orange"} data-testid="gate-verdict">
          {verdict.is_passed ? "passed" : "not passed"}
        </Badge>
        <span className={styles.dim}>{`against ${verdict.champion_version}${verdict.is_current ? "" : ", no longer the champion"}`}</span>
      </h3>
      <table className={styles.table}>
        <thead>
          <tr><th>Rule</th><th>Found</th><th>Needed</th><th>Verdict</th></tr>
        </thead>
        <tbody>
          {verdict.rules.map((rule) => (
            <tr key={rule.rule} data-testid="gate-rule" data-passed={rule.is_passed}>
              <td>{rule.rule}</td>
              <td>{rule.found}</td>
              <td>{rule.needed}</td>
              <td>{rule.is_passed ? "passed" : "not passed"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {verdict.groups
        ? <GroupTable groups={verdict.groups} rule={verdict.group_rule} />
        : <p className={styles.dim}>Figures by group are for those who belong to every site of the test patients.</p>}
    </>
  );
}

/** How both models do on parts of the test side; few patients make wide intervals. */
function GroupTable({ groups, rule }: { groups: NonNullable<GateVerdict["groups"]>; rule: string }) {
  return (
    <details data-testid="gate-groups">
      <summary>By group of patients and lesions</summary>
      <p className={styles.dim}>{rule}</p>
      <table className={styles.table} aria-label="Figures by group">
        <thead>
          <tr><th>Group</th><th>Figure</th><th>Patients</th><th>This model</th><th>Champion of the day</th></tr>
        </thead>
        <tbody>
          {groups.map((one) => (
            <tr key={one.group + one.figure}>
              <td>{one.group}</td>
              <td>{one.figure}</td>
              <td>{one.patients}</td>
              <td>{intervalText(one.candidate)}</td>
              <td>{intervalText(one.champion)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function intervalText({ mean, low, high }: Interval): string {
  return mean.toFixed(3) + (low === null || high === null ? "" : ` (${low.toFixed(3)} to ${high.toFixed(3)})`);
}

function PromotionForm({ model, verdict }: { model: ModelVersion; verdict: GateVerdict | null }) {
  const [comment, setComment] = useState("");
  const [override, setOverride] = useState(false);
  const mayPass = verdict !== null && verdict.is_passed && verdict.is_current;
  const promotion = useMutation({
    mutationFn: (form: FormData) => promoteModel(model.id, { comment, override: override && !mayPass, password: proofIn(form) }),
    onSettled: refreshModels,
  });
  return (
    <form
      className={styles.form} aria-label={`Promote ${model.version}`} data-testid="promotion-form"
      onSubmit={(event) => {
        event.preventDefault();
        promotion.mutate(new FormData(event.currentTarget));
      }}
    >
      <Textarea label="Why" required value={comment} onChange={(event) => setComment(event.currentTarget.value)} autosize minRows={1} />
      <Proof />
      {!mayPass && (
        <Checkbox
          label="Against the gate; a second administrator has to ask for the same" checked={override}
          onChange={(event) => setOverride(event.currentTarget.checked)}
        />
      )}
      {promotion.isError && <Problem error={promotion.error} />}
      {promotion.data?.done_at === null && (
        <Notice tone="caution" icon="info" title="Waits"><p>A second administrator has to ask for the same.</p></Notice>
      )}
      <BusyButton type="submit" isBusy={promotion.isPending} disabled={!mayPass && !override} w="fit-content">Promote</BusyButton>
    </form>
  );
}

function Rollback({ model }: { model: ModelVersion }) {
  const rollback = useMutation({ mutationFn: () => rollBackModel(model.id), onSettled: refreshModels });
  return (
    <div>
      {rollback.isError && <Problem error={rollback.error} />}
      <CarefulButton
        label="Roll back to the model before …" question="Roll back: the model before reads every new study" keep="Keep this one"
        isBusy={rollback.isPending} onSure={() => rollback.mutate()} testId="roll-back"
      />
    </div>
  );
}

import { Badge, Button, Checkbox, PasswordInput, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { promoteModel, rollBackModel, type GateVerdict } from "../server/training";
import type { ModelVersion } from "../server/types";
import { refreshModels, verdictQuery } from "../state/training";
import styles from "./gate_panel.module.css";
import { Notice, Problem } from "./problem";

interface GatePanelProps {
  readonly model: ModelVersion;
  readonly canManage: boolean;
}

/** What the gate said of a model that was trained here, and what an administrator may do about it. */
export function GatePanel({ model, canManage }: GatePanelProps) {
  const verdict = useQuery({ ...verdictQuery(model.id), enabled: model.origin === "trained" });
  if (model.origin === "shipped") return null;
  const isCandidate = (model.stage === "candidate" || model.stage === "shadow") && (verdict.data !== undefined || model.origin === "imported");
  return (
    <section className={styles.panel} aria-label={`Gate of ${model.version}`} data-testid="gate">
      {verdict.isError && <Problem error={verdict.error} onRetry={() => void verdict.refetch()} />}
      {verdict.data && <VerdictTable verdict={verdict.data} />}
      {model.origin === "imported" && <p className={styles.dim}>It came as a signed file; the gate has not judged it.</p>}
      {canManage && isCandidate && <PromotionForm model={model} verdict={verdict.data ?? null} />}
      {canManage && model.stage === "champion" && <Rollback model={model} />}
    </section>
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
    </>
  );
}

function PromotionForm({ model, verdict }: { model: ModelVersion; verdict: GateVerdict | null }) {
  const [comment, setComment] = useState("");
  const [password, setPassword] = useState("");
  const [override, setOverride] = useState(false);
  const mayPass = verdict !== null && verdict.is_passed && verdict.is_current;
  const promotion = useMutation({
    mutationFn: () => promoteModel(model.id, { comment, override: override && !mayPass, password }),
    onSettled: refreshModels,
  });
  return (
    <form
      className={styles.form} aria-label={`Promote ${model.version}`} data-testid="promotion-form"
      onSubmit={(event) => {
        event.preventDefault();
        promotion.mutate();
      }}
    >
      <Textarea label="Why" required value={comment} onChange={(event) => setComment(event.currentTarget.value)} autosize minRows={1} />
      <PasswordInput
        label="Your password" required autoComplete="current-password" value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
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
      <Button type="submit" loading={promotion.isPending} disabled={!mayPass && !override} w="fit-content">Promote</Button>
    </form>
  );
}

function Rollback({ model }: { model: ModelVersion }) {
  const rollback = useMutation({ mutationFn: () => rollBackModel(model.id), onSettled: refreshModels });
  return (
    <>
      {rollback.isError && <Problem error={rollback.error} />}
      <Button variant="default" w="fit-content" loading={rollback.isPending} onClick={() => rollback.mutate()} data-testid="roll-back">
        Roll back to the model before
      </Button>
    </>
  );
}

import { Badge } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Markdown } from "markdown-to-jsx";

import { fullTimeText } from "../components/formats";
import { CardExport, ModelExport, ModelImport } from "../components/model_file";
import { GatePanel } from "../components/gate_panel";
import { ShadowPanel } from "../components/shadow_panel";
import { Loading } from "../components/loading";
import { Notice, Problem } from "../components/problem";
import { usePageTitle } from "../components/page_title";
import type { Me, ModelVersion } from "../server/types";
import { modelsQuery } from "../state/queries";
import { useLiveTraining } from "../state/training";
import cardStyles from "./models_page.module.css";
import styles from "./plain_page.module.css";

/** Cards are written by whoever trains a model, so HTML in them stays text. */
const MARKDOWN = { disableParsingRawHTML: true, forceBlock: true } as const;

const STAGE_COLORS: Record<ModelVersion["stage"], string> = { champion: "indigo", shadow: "grape", candidate: "gray", retired: "gray" };

export function ModelsPage({ me }: { me: Me }) {
  usePageTitle("Models");
  const models = useQuery(modelsQuery);
  return (
    <div className={styles.page}>
      <h1>Models</h1>
      <p className={styles.lead}>The champion reads new studies. Every result names the version and hash that made it.</p>
      {models.isError && <Problem error={models.error} onRetry={() => void models.refetch()} />}
      {me.actions.includes("training.read") && <LiveTraining />}
      {me.actions.includes("model.manage") && <ModelImport />}
      {models.isPending && <Loading of="models" />}
      {models.data?.length === 0 && <p className={styles.dim}>No model is registered.</p>}
      {models.data?.map((model) => <ModelCard key={model.id} model={model} me={me} />)}
    </div>
  );
}

/** Listens for whoever may; the others fetch when they come. */
function LiveTraining() {
  useLiveTraining();
  return null;
}

function ModelCard({ model, me }: { model: ModelVersion; me: Me }) {
  return (
    <article className={cardStyles.model} data-testid="model-card">
      <header className={cardStyles.header}>
        <h2>{`${model.name} ${model.version}`}</h2>
        <Badge variant="light" color={STAGE_COLORS[model.stage]} size="sm">{model.stage}</Badge>
        {me.actions.includes("model.manage") && model.origin !== "shipped" && <ModelExport model={model} />}
      </header>
      <dl className={cardStyles.facts}>
        <dt>SHA-256</dt>
        <dd className={cardStyles.hash}>{model.sha256}</dd>
        <dt>Preprocessing</dt>
        <dd>{model.preprocessing_version}</dd>
        <dt>Registered</dt>
        <dd>{fullTimeText(model.created)}</dd>
      </dl>
      {model.caveat && <Notice tone="caution" icon="warning" title="Limits of this model"><p>{model.caveat}</p></Notice>}
      {me.actions.includes("training.read") && <ShadowPanel model={model} me={me} />}
      <GatePanel model={model} canManage={me.actions.includes("model.manage")} />
      {model.card && (
        <details className={cardStyles.card} open={model.stage === "champion"}>
          <summary>Model card</summary>
          <div className={cardStyles.text}><Markdown options={MARKDOWN}>{model.card}</Markdown></div>
          <CardExport model={model} />
        </details>
      )}
    </article>
  );
}

import { NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { requestRerun, type RerunPreview, type WantedRerun } from "../server/reruns";
import type { Me } from "../server/types";
import { modelsQuery, queryClient } from "../state/queries";
import { previewQuery } from "../state/reruns";
import { BusyButton } from "./busy_button";
import { countText } from "./formats";
import { Problem } from "./problem";
import styles from "./rerun_form.module.css";

interface Choice {
  readonly site: string;
  readonly from: string;
  readonly until: string;
  readonly model: string;
}

const EVERYTHING: Choice = { site: "", from: "", until: "", model: "" };

/** Chooses studies by site, day and the version that read them last, and says beforehand how many that are. */
export function RerunForm({ me }: { me: Me }) {
  const [choice, setChoice] = useState(EVERYTHING);
  const wanted = wantedBy(choice);
  const models = useQuery(modelsQuery).data ?? [];
  const preview = useQuery(previewQuery(wanted));
  const asking = useMutation({
    mutationFn: () => requestRerun(wanted),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["reruns"] }),
  });
  const day = (label: string, field: "from" | "until") => (
    <TextInput
      size="xs" type="date" label={label} value={choice[field]}
      onChange={(event) => setChoice({ ...choice, [field]: event.currentTarget.value })}
    />
  );
  return (
    <form
      className={styles.form} aria-label="Studies to read again" data-testid="rerun-form"
      onSubmit={(event) => {
        event.preventDefault();
        asking.mutate();
      }}
    >
      <div className={styles.fields}>
        <NativeSelect
          size="xs" label="Site" value={choice.site} onChange={(event) => setChoice({ ...choice, site: event.currentTarget.value })}
          data={[{ value: "", label: "All of mine" }, ...me.sites.map(({ id, name }) => ({ value: id, label: name }))]}
        />
        {day("Studied from", "from")}
        {day("Studied until", "until")}
        <NativeSelect
          size="xs" label="Last read by" value={choice.model} onChange={(event) => setChoice({ ...choice, model: event.currentTarget.value })}
          data={[{ value: "", label: "Any version" }, ...models.map(({ id, name, version }) => ({ value: id, label: `${name} ${version}` }))]}
        />
      </div>
      {preview.isError && <Problem error={preview.error} onRetry={() => void preview.refetch()} />}
      {preview.data && <PreviewText preview={preview.data} />}
      {asking.isError && <Problem error={asking.error} />}
      <BusyButton type="submit" w="fit-content" isBusy={asking.isPending} disabled={!preview.data?.study_count || preview.isFetching}>Read again</BusyButton>
    </form>
  );
}

function PreviewText({ preview: { model, study_count, left_out } }: { preview: RerunPreview }) {
  return (
    <div role="status" data-testid="rerun-preview">
      <strong>{`${countText(study_count, "study", "studies")} will be read again by ${model.name} ${model.version}.`}</strong>
      {Object.entries(left_out).map(([reason, count]) => (
        <div key={reason} className={styles.dim}>{`${count} left out: ${reason}.`}</div>
      ))}
    </div>
  );
}

function wantedBy({ site, from, until, model }: Choice): WantedRerun {
  return { sites: site ? [site] : [], studied_from: from || null, studied_until: until || null, model: model || null };
}

import { FileButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";

import { importModel, modelFileUrl } from "../server/training";
import type { ModelVersion } from "../server/types";
import { refreshModels } from "../state/training";
import { BusyButton } from "./busy_button";
import styles from "./model_file.module.css";
import { Problem } from "./problem";
import { ProvenDownload } from "./proven_download";

/** The model as one file, signed with the key of this installation. */
export function ModelExport({ model }: { model: ModelVersion }) {
  return (
    <ProvenDownload
      href={modelFileUrl(model.id)} what={`${model.name} ${model.version}, which learned from patients here,`} label="Export …" size="compact-sm"
      className={styles.export} testId="export-model"
    />
  );
}

/** The model's card as a file of Markdown. */
export function CardExport({ model }: { model: ModelVersion }) {
  const content = `data:text/markdown;charset=utf-8,${encodeURIComponent(model.card)}`;
  return <a href={content} download={`${model.name}-${model.version}.md`} data-testid="export-card">Save the card as Markdown</a>;
}

/** Takes in a model of an installation whose key is trusted here. */
export function ModelImport() {
  const importing = useMutation({ mutationFn: importModel, onSettled: refreshModels });
  const reset = useRef<() => void>(null);
  const take = (file: File | null) => {
    // A browser says nothing of a file that is chosen twice in a row.
    reset.current?.();
    if (file) importing.mutate(file);
  };
  return (
    <>
      <FileButton accept=".pvmodel" resetRef={reset} onChange={take}>
        {(button) => <BusyButton {...button} size="compact-sm" variant="default" w="fit-content" isBusy={importing.isPending}>Import a signed model …</BusyButton>}
      </FileButton>
      {importing.isError && <Problem error={importing.error} />}
    </>
  );
}

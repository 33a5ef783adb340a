import { Button, FileButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import { importModel, modelFileUrl } from "../server/training";
import type { ModelVersion } from "../server/types";
import { refreshModels } from "../state/training";
import { BusyButton } from "./busy_button";
import { Problem } from "./problem";

/** The model as one file, signed with the key of this installation. */
export function ModelExport({ model }: { model: ModelVersion }) {
  return (
    <Button component="a" href={modelFileUrl(model.id)} download size="compact-sm" variant="default" ml="auto" data-testid="export-model">
      Export
    </Button>
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
  return (
    <>
      <FileButton accept=".pvmodel" onChange={(file) => file && importing.mutate(file)}>
        {(button) => <BusyButton {...button} size="compact-sm" variant="default" w="fit-content" isBusy={importing.isPending}>Import a signed model …</BusyButton>}
      </FileButton>
      {importing.isError && <Problem error={importing.error} />}
    </>
  );
}

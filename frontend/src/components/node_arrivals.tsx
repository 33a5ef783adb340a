import { Checkbox, TextInput } from "@mantine/core";

import type { NodeFieldsProps } from "./node_setup";

/** What becomes of the studies that the node sends here. */
export function NodeArrivals({ setup, errors, change }: NodeFieldsProps) {
  const { kind, deidentifies, sender } = setup;
  return (
    <>
      <Checkbox
        size="xs" label="De-identify on arrival" checked={deidentifies} error={errors["deidentifies"]} data-testid="deidentifies"
        description="Nothing of a patient is kept of what the node sends here: MR images only, under pseudonyms, without dates and descriptions. Nothing is fetched from it. Voxels may show a face."
        onChange={(event) => change({ deidentifies: event.currentTarget.checked })}
      />
      {kind === "dicomweb" && (
        <TextInput
          size="xs" label="Account by which it stores here" maxLength={150} value={sender} error={errors["sender"]} disabled={!deidentifies} autoComplete="off"
          description="The username of a sender of this site. Give its token the right dicomweb.store only: uploads are kept as they are."
          onChange={(event) => change({ sender: event.currentTarget.value })}
        />
      )}
    </>
  );
}

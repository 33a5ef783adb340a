import { TextInput } from "@mantine/core";

import styles from "./node_form.module.css";
import type { NodeFieldsProps } from "./node_setup";

/** Where the node is, as its kind says it. */
export function NodeAddress(fields: NodeFieldsProps) {
  return fields.setup.kind === "dimse" ? <DimseAddress {...fields} /> : <WebAddress {...fields} />;
}

function DimseAddress({ setup, errors, change }: NodeFieldsProps) {
  return (
    <>
      <div className={styles.address}>
        <TextInput
          size="xs" label="Host" placeholder="pacs.hospital.example" value={setup.host} error={errors["host"]}
          onChange={(event) => change({ host: event.currentTarget.value })}
        />
        <TextInput
          size="xs" label="Port" inputMode="numeric" maxLength={5} value={setup.port} error={errors["port"]}
          onChange={(event) => change({ port: event.currentTarget.value })}
        />
      </div>
      <div className={styles.pair}>
        <TextInput
          size="xs" label="AE title" description="How the node calls itself" maxLength={16} value={setup.ae_title} error={errors["ae_title"]}
          onChange={(event) => change({ ae_title: event.currentTarget.value })}
        />
        <TextInput
          size="xs" label="Calling AE title" description="How PlaqueView calls itself; empty: as installed" maxLength={16}
          value={setup.calling_ae_title} error={errors["calling_ae_title"]}
          onChange={(event) => change({ calling_ae_title: event.currentTarget.value })}
        />
      </div>
    </>
  );
}

function WebAddress({ setup, errors, change }: NodeFieldsProps) {
  return (
    <TextInput
      size="xs" label="Address" description="The DICOMweb root" placeholder="https://pacs.hospital.example/dicom-web" inputMode="url" maxLength={500}
      value={setup.url} error={errors["url"]} onChange={(event) => change({ url: event.currentTarget.value })}
    />
  );
}

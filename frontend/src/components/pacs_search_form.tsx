import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";

import type { StudyQuery } from "../server/fetches";
import type { RemoteNode } from "../server/nodes";
import { BusyButton } from "./busy_button";
import { Icon } from "./icons";
import styles from "./pacs_search_form.module.css";

interface PacsSearchFormProps {
  readonly nodes: readonly RemoteNode[];
  readonly isSearching: boolean;
  onSearch(nodes: readonly RemoteNode[], query: StudyQuery): void;
}

const EVERY_NODE = "";

const NOTHING = { patient_id: "", patient_name: "", accession_number: "", study_date_from: "", study_date_to: "", modality: "MR" };

/** Patients are named here and in the request's body only: never in the address of the page. */
export function PacsSearchForm({ nodes, isSearching, onSearch }: PacsSearchFormProps) {
  const [chosen, choose] = useState(EVERY_NODE);
  const [isEmpty, setEmpty] = useState(false);
  const several = nodes.length > 1 ? [{ value: EVERY_NODE, label: "Every node" }] : [];
  const [asked, setAsked] = useState(NOTHING);
  const field = (name: keyof typeof NOTHING) => ({
    size: "xs" as const,
    value: asked[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setAsked((before) => ({ ...before, [name]: value }));
    },
  });
  return (
    <form
      className={styles.form} aria-label="Search of the PACS" data-testid="pacs-form"
      onSubmit={(event) => {
        event.preventDefault();
        const { study_date_from, study_date_to, ...texts } = asked;
        // The server refuses it, too: once for each node.
        const asksForAll = !/[^*? ]/.test(`${texts.patient_id}${texts.patient_name}${texts.accession_number}${study_date_from}`);
        setEmpty(asksForAll);
        if (asksForAll) return;
        onSearch(nodes.filter(({ id }) => chosen === EVERY_NODE || chosen === id), { ...texts, study_date_from: study_date_from || null, study_date_to: study_date_to || null });
      }}
    >
      <NativeSelect
        size="xs" label="Node" value={chosen} onChange={(event) => choose(event.currentTarget.value)}
        data={[...several, ...nodes.map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <TextInput label="Patient ID" {...field("patient_id")} />
      <TextInput label="Patient name" placeholder="Begins with, or * and ?" {...field("patient_name")} />
      <TextInput label="Accession number" {...field("accession_number")} />
      <TextInput label="Study date from" type="date" {...field("study_date_from")} />
      <TextInput label="Study date to" type="date" {...field("study_date_to")} />
      <TextInput label="Modality" {...field("modality")} />
      <BusyButton type="submit" size="xs" isBusy={isSearching} leftSection={<Icon name="search" size={14} />}>Search</BusyButton>
      {isEmpty && <p className={styles.error} role="alert">A patient ID, a name, an accession number or a first date is needed.</p>}
    </form>
  );
}

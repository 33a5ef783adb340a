import { Button, Checkbox, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { changeNode, createNode, removeNode, type RemoteNode, type SentDocument } from "../server/nodes";
import type { Me } from "../server/types";
import { nodesQuery } from "../state/outbox";
import { queryClient } from "../state/queries";
import { BusyButton } from "./busy_button";
import { CarefulButton } from "./careful_button";
import { countText } from "./formats";
import { NodeAddress } from "./node_address";
import { NodeArrivals } from "./node_arrivals";
import styles from "./node_form.module.css";
import { NodePriors } from "./node_priors";
import { NodeSecurity } from "./node_security";
import { fieldErrors, forgetsSecrets, requestOf, setupOf, type NodeFieldsProps } from "./node_setup";
import { DOCUMENT_TEXTS, KIND_TEXTS } from "./node_words";
import { Notice, Problem } from "./problem";
import { useRefusedField } from "./refused_field";

interface NodeFormProps {
  /** Null for one that is new. */
  readonly node: RemoteNode | null;
  readonly me: Me;
  onClose(): void;
}

/** Everything that an administrator says of a node; what the server refuses is told at its field. */
export function NodeForm({ node, me, onClose }: NodeFormProps) {
  const [setup, setSetup] = useState(() => setupOf(node));
  const saving = useMutation({
    mutationFn: () => {
      const { site, ...asked } = requestOf(setup);
      return node ? changeNode(node.id, asked) : createNode({ ...asked, ...(site ? { site } : {}) });
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: nodesQuery.queryKey }),
  });
  const errors = fieldErrors(saving.error);
  const form = useRefusedField(saving.error);
  const fields: NodeFieldsProps = { setup, errors, change: (changes) => setSetup((before) => ({ ...before, ...changes })) };
  return (
    <form
      ref={form} className={styles.form} aria-label={node ? `Node ${node.name}` : "New node"} data-testid="node-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(undefined, { onSuccess: onClose });
      }}
    >
      {!node && me.sites.length > 1 && <SiteChoice me={me} {...fields} />}
      <NodeName {...fields} />
      <NodeAddress {...fields} />
      {forgetsSecrets(node, setup) && <Notice tone="caution" icon="info" title="Another address"><p>{FORGOTTEN}</p></Notice>}
      <NodeSecurity node={node} {...fields} />
      <SentFields {...fields} />
      <NodePriors {...fields} />
      <NodeArrivals {...fields} />
      {saving.isError && <Refusal error={saving.error} fieldCount={Object.keys(errors).length} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={saving.isPending}>Save</BusyButton>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        {node && <Removal node={node} onRemoved={onClose} />}
      </div>
    </form>
  );
}

/** A refusal that stands at its fields is not said twice. */
function Refusal({ error, fieldCount }: { error: Error; fieldCount: number }) {
  if (fieldCount === 0) return <Problem error={error} />;
  return <p className={styles.error} role="alert">{`Not saved: ${countText(fieldCount, "field needs", "fields need")} another value.`}</p>;
}

const FORGOTTEN = "What is kept of keys, passwords and tokens is forgotten when the node moves. Enter again what the new address needs.";

function SiteChoice({ me, setup, errors, change }: NodeFieldsProps & { me: Me }) {
  return (
    <NativeSelect
      size="xs" label="Site" value={setup.site} error={errors["site"]} onChange={(event) => change({ site: event.currentTarget.value })}
      data={[{ value: "", label: "Choose …" }, ...me.sites.map(({ id, name }) => ({ value: id, label: name }))]}
    />
  );
}

function NodeName({ setup, errors, change }: NodeFieldsProps) {
  return (
    <>
      <TextInput
        size="xs" label="Name" data-autofocus maxLength={100} value={setup.name} error={errors["name"]}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <SegmentedControl
        size="xs" w="fit-content" aria-label="How the node is spoken to" value={setup.kind} onChange={(kind) => change({ kind })}
        data={[{ value: "dimse", label: KIND_TEXTS.dimse }, { value: "dicomweb", label: KIND_TEXTS.dicomweb }]}
      />
    </>
  );
}

const DOCUMENTS = Object.keys(DOCUMENT_TEXTS) as SentDocument[];

function SentFields({ setup, errors, change }: NodeFieldsProps) {
  return (
    <>
      <Checkbox.Group
        size="xs" label="What is sent of an approved version" value={[...setup.documents]} error={errors["documents"]}
        onChange={(documents) => change({ documents: DOCUMENTS.filter((kind) => documents.includes(kind)) })}
      >
        <div className={styles.choices}>
          {DOCUMENTS.map((kind) => <Checkbox key={kind} size="xs" value={kind} label={DOCUMENT_TEXTS[kind]} />)}
        </div>
      </Checkbox.Group>
      <Checkbox
        size="xs" label="Send each version by itself that is approved from now on" checked={setup.sends_approved} error={errors["sends_approved"]}
        onChange={(event) => change({ sends_approved: event.currentTarget.checked })}
      />
      {setup.kind === "dimse" && (
        <Checkbox
          size="xs" label="Ask the node to commit itself to keep them" checked={setup.asks_commitment} error={errors["asks_commitment"]}
          description="A transfer then counts as sent only when the node says that it keeps every document (storage commitment)."
          onChange={(event) => change({ asks_commitment: event.currentTarget.checked })}
        />
      )}
      <Checkbox
        size="xs" label="Active" description="Nothing is sent to a node that is not active; what waits for it stays."
        checked={setup.is_active} onChange={(event) => change({ is_active: event.currentTarget.checked })}
      />
    </>
  );
}

/** One to which something was sent is refused by the server, which says what to do. */
function Removal({ node, onRemoved }: { node: RemoteNode; onRemoved: () => void }) {
  const removing = useMutation({
    mutationFn: () => removeNode(node.id),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: nodesQuery.queryKey }),
  });
  return (
    <div className={styles.removal}>
      <CarefulButton
        label="Delete …" question={`Delete ${node.name} for good`} isBusy={removing.isPending} onSure={() => removing.mutate(undefined, { onSuccess: onRemoved })} testId="delete-node"
      />
      {removing.isError && <Problem error={removing.error} />}
    </div>
  );
}

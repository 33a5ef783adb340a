import { Button, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import type { Me } from "../server/types";
import { changeWebhook, createWebhook, removeWebhook, renewSecret, type ShownOnce, type Webhook, type WebhookEvent } from "../server/webhooks";
import { refreshWebhooks } from "../state/webhooks";
import { BusyButton } from "./busy_button";
import { CarefulButton } from "./careful_button";
import styles from "./node_form.module.css";
import { fieldErrors } from "./node_setup";
import { Problem } from "./problem";
import { useRefusedField } from "./refused_field";
import { EVENT_TEXTS } from "./webhook_words";

interface WebhookFormProps {
  /** Null for one that is new. */
  readonly webhook: Webhook | null;
  readonly me: Me;
  /** There is a secret to be shown, once. */
  onSecret(shown: ShownOnce): void;
  onClose(): void;
}

const EVENTS = Object.keys(EVENT_TEXTS) as WebhookEvent[];
const NO_WEBHOOK = { site: "", name: "", url: "", ca_certificates: "", events: EVENTS, is_active: true };

/** Where a receiver is and what it is told of; what the server refuses is told at its field. */
export function WebhookForm({ webhook, me, onSecret, onClose }: WebhookFormProps) {
  const [setup, setSetup] = useState(() => (webhook ? { ...NO_WEBHOOK, ...keptFields(webhook) } : NO_WEBHOOK));
  const change = (changes: Partial<typeof setup>) => setSetup((before) => ({ ...before, ...changes }));
  const { site, ...asked } = setup;
  const saving = useMutation({
    mutationFn: async () => {
      if (webhook) await changeWebhook(webhook.id, asked);
      else onSecret(await createWebhook({ ...asked, ...(site ? { site } : {}) }));
    },
    onSettled: () => void refreshWebhooks(),
  });
  const errors = fieldErrors(saving.error);
  const form = useRefusedField(saving.error);
  return (
    <form
      ref={form} className={styles.form} aria-label={webhook ? `Webhook ${webhook.name}` : "New webhook"} data-testid="webhook-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(undefined, webhook ? { onSuccess: onClose } : undefined);
      }}
    >
      {!webhook && me.sites.length > 1 && (
        <NativeSelect
          size="xs" label="Site" value={site} error={errors["site"]} onChange={(event) => change({ site: event.currentTarget.value })}
          data={[{ value: "", label: "Choose …" }, ...me.sites.map(({ id, name }) => ({ value: id, label: name }))]}
        />
      )}
      <TextInput
        size="xs" label="Name" data-autofocus maxLength={100} value={setup.name} error={errors["name"]}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <TextInput
        size="xs" label="Address" placeholder="https://engine.hospital.example/plaqueview" maxLength={500} value={setup.url} error={errors["url"]}
        onChange={(event) => change({ url: event.currentTarget.value })}
      />
      <Checkbox.Group
        size="xs" label="What it is told of" value={setup.events} error={errors["events"]}
        onChange={(chosen) => change({ events: EVENTS.filter((one) => chosen.includes(one)) })}
      >
        <div className={styles.choices}>
          {EVENTS.map((one) => <Checkbox key={one} size="xs" value={one} label={EVENT_TEXTS[one]} description={one} />)}
        </div>
      </Checkbox.Group>
      <Textarea
        size="xs" label="Certificates that it is trusted by" description="PEM. Empty: those that the machine trusts." autosize minRows={2} maxRows={6}
        value={setup.ca_certificates} error={errors["ca_certificates"]} onChange={(event) => change({ ca_certificates: event.currentTarget.value })}
      />
      <Checkbox
        size="xs" label="Active" description="What happens while it is not active is not told later."
        checked={setup.is_active} onChange={(event) => change({ is_active: event.currentTarget.checked })}
      />
      {saving.isError && Object.keys(errors).length === 0 && <Problem error={saving.error} />}
      <div className={styles.actions}>
        <BusyButton type="submit" isBusy={saving.isPending}>Save</BusyButton>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        {webhook && <Asked webhook={webhook} onSecret={onSecret} onClose={onClose} />}
      </div>
    </form>
  );
}

function keptFields({ name, url, ca_certificates, events, is_active }: Webhook) {
  return { name, url, ca_certificates, events, is_active };
}

function Asked({ webhook, onSecret, onClose }: Pick<WebhookFormProps, "onSecret" | "onClose"> & { webhook: Webhook }) {
  const renewing = useMutation({ mutationFn: () => renewSecret(webhook.id), onSuccess: onSecret, onSettled: () => void refreshWebhooks() });
  const removing = useMutation({ mutationFn: () => removeWebhook(webhook.id), onSettled: () => void refreshWebhooks() });
  return (
    <div className={styles.removal}>
      <div className={styles.actions}>
        <CarefulButton
          label="New secret …" question="The old secret signs nothing from now on" keep="Keep the old one" isBusy={renewing.isPending}
          onSure={() => renewing.mutate()} testId="new-secret"
        />
        <CarefulButton
          label="Delete …" question={`Delete ${webhook.name} with its messages`} isBusy={removing.isPending}
          onSure={() => removing.mutate(undefined, { onSuccess: onClose })} testId="delete-webhook"
        />
      </div>
      {renewing.isError && <Problem error={renewing.error} />}
      {removing.isError && <Problem error={removing.error} />}
    </div>
  );
}

import { Button, Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import type { Me } from "../server/types";
import { changeWebhook, createWebhook, removeWebhook, renewSecret, type ShownOnce, type Webhook, type WebhookEvent } from "../server/webhooks";
import { refreshWebhooks } from "../state/webhooks";
import { BusyButton } from "./busy_button";
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
      if (webhook) {
        await changeWebhook(webhook.id, asked);
        onClose();
      } else onSecret(await createWebhook({ ...asked, ...(site ? { site } : {}) }));
    },
    onSettled: refreshWebhooks,
  });
  const errors = fieldErrors(saving.error);
  const form = useRefusedField(saving.error);
  return (
    <form
      ref={form} className={styles.form} aria-label={webhook ? `Webhook ${webhook.name}` : "New webhook"} data-testid="webhook-form" noValidate
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate();
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

/** What cannot be taken back is asked once more. */
function Asked({ webhook, onSecret, onClose }: Pick<WebhookFormProps, "onSecret" | "onClose"> & { webhook: Webhook }) {
  const [asked, ask] = useState<"secret" | "removal" | null>(null);
  const doing = useMutation({
    mutationFn: async () => {
      if (asked === "secret") return onSecret(await renewSecret(webhook.id));
      await removeWebhook(webhook.id);
      return onClose();
    },
    onSettled: refreshWebhooks,
  });
  if (!asked) {
    return (
      <div className={styles.actions}>
        <Button variant="default" onClick={() => ask("secret")}>New secret …</Button>
        <Button variant="default" onClick={() => ask("removal")} data-testid="delete-webhook">Delete …</Button>
      </div>
    );
  }
  const words = asked === "secret" ? "The old secret signs nothing from now on" : `Delete ${webhook.name} with its messages`;
  return (
    <div className={styles.removal}>
      <BusyButton color="red.9" autoFocus isBusy={doing.isPending} onClick={() => doing.mutate()} data-testid="confirm">{words}</BusyButton>
      {doing.isError && <Problem error={doing.error} />}
    </div>
  );
}

import { useMutation } from "@tanstack/react-query";

import { testWebhook, type Webhook } from "../server/webhooks";
import { refreshDeliveries } from "../state/webhooks";
import { BusyButton } from "./busy_button";
import styles from "./outbox.module.css";
import { detailOf } from "./problem";

interface WebhookTableProps {
  readonly webhooks: readonly Webhook[];
  onChange(webhook: Webhook): void;
}

export function WebhookTable({ webhooks, onChange }: WebhookTableProps) {
  if (webhooks.length === 0) return <p className={styles.none}>No webhook is set up. Add one to tell an integration engine what happens here.</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Webhooks">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Address</th>
            <th scope="col">Told of</th>
            <th scope="col">Active</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{webhooks.map((webhook) => <Line key={webhook.id} webhook={webhook} onChange={onChange} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ webhook, onChange }: { webhook: Webhook; onChange: (webhook: Webhook) => void }) {
  const { id, name, url, events, is_active } = webhook;
  const testing = useMutation({ mutationFn: () => testWebhook(id), onSettled: refreshDeliveries });
  return (
    <tr data-testid="webhook-row" data-active={is_active}>
      <td className={styles.name}>{name}</td>
      <td className={styles.address}>{url}</td>
      <td className={styles.wide}>{events.join(", ")}</td>
      <td>{is_active ? "Yes" : "No"}</td>
      <td className={styles.right}>
        <div className={styles.actions}>
          <BusyButton variant="default" size="compact-sm" disabled={!is_active} isBusy={testing.isPending} onClick={() => testing.mutate()} aria-label={`Test ${name}`}>Test</BusyButton>
          <BusyButton variant="default" size="compact-sm" onClick={() => onChange(webhook)} aria-label={`Edit ${name}`}>Edit</BusyButton>
        </div>
        {testing.isError && <p className={styles.error} role="alert">{detailOf(testing.error)}</p>}
      </td>
    </tr>
  );
}

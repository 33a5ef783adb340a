import { useMutation } from "@tanstack/react-query";

import { redeliver, type Delivery } from "../server/webhooks";
import { canRedeliver, refreshDeliveries } from "../state/webhooks";
import { BusyButton } from "./busy_button";
import { fullTimeText, timeText } from "./formats";
import { sentence } from "./node_words";
import styles from "./outbox.module.css";
import { detailOf } from "./problem";
import { StateBadge } from "./state_badge";
import { nextAttemptText } from "./transfer_words";
import { DELIVERY_STATES, eventText } from "./webhook_words";

interface DeliveryTableProps {
  readonly deliveries: readonly Delivery[];
  /** When the server told them, ms since 1970. */
  readonly asOf: number;
  readonly isFiltered: boolean;
}

export function DeliveryTable({ deliveries, asOf, isFiltered }: DeliveryTableProps) {
  if (deliveries.length === 0) return <p className={styles.none}>{isFiltered ? "No message is in this state, to this webhook." : "Nothing was sent yet."}</p>;
  return (
    <div className={styles.card}>
      <table className={styles.table} aria-label="Messages">
        <thead>
          <tr>
            <th scope="col">Since</th>
            <th scope="col">Webhook</th>
            <th scope="col">Event</th>
            <th scope="col">State and last answer</th>
            <th scope="col">Attempts</th>
            <th scope="col">Next attempt</th>
            <th scope="col"><span className="visually-hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>{deliveries.map((delivery) => <Line key={delivery.id} delivery={delivery} asOf={asOf} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ delivery, asOf }: { delivery: Delivery; asOf: number }) {
  const { id, webhook_name, event, message_id, state, attempts, answer, created, delivered_at, next_attempt_at } = delivery;
  const asking = useMutation({ mutationFn: () => redeliver(id), onSettled: refreshDeliveries });
  return (
    <tr data-testid="delivery-row" data-state={state}>
      <td className={styles.keep} title={fullTimeText(created)}>{timeText(created)}</td>
      <td className={styles.keep}>{webhook_name}</td>
      <td>
        {eventText(event)}
        <div className={styles.hint}>{message_id}</div>
      </td>
      <td className={styles.wide}>
        <StateBadge state={state} words={DELIVERY_STATES[state]} />
        {state === "delivered" && <span className={styles.beside} title={fullTimeText(delivered_at)}>{timeText(delivered_at)}</span>}
        {answer && <div className={styles.hint}>{sentence(answer)}</div>}
      </td>
      <td>{attempts}</td>
      <td className={styles.keep} title={next_attempt_at ? fullTimeText(next_attempt_at) : undefined}>{nextAttemptText(delivery, asOf)}</td>
      <td className={styles.right}>
        {canRedeliver(delivery) && (
          <BusyButton variant="default" size="compact-sm" isBusy={asking.isPending} onClick={() => asking.mutate()}>Redeliver</BusyButton>
        )}
        {asking.isError && <p className={styles.error} role="alert">{detailOf(asking.error)}</p>}
      </td>
    </tr>
  );
}

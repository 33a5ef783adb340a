import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { DeliveryTable } from "../components/delivery_table";
import { Loading } from "../components/loading";
import { chosenOf, useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { WebhookDialog } from "../components/webhook_dialog";
import { WebhookTable } from "../components/webhook_table";
import { DELIVERY_STATES } from "../components/webhook_words";
import type { Me } from "../server/types";
import type { DeliveryState, Webhook } from "../server/webhooks";
import { deliveriesQuery, webhooksQuery } from "../state/webhooks";
import styles from "./plain_page.module.css";

const PAGE_SIZE = 50;

const STATES: { value: DeliveryState | ""; label: string }[] = [
  { value: "", label: "All" },
  ...(Object.keys(DELIVERY_STATES) as DeliveryState[]).map((value) => ({ value, label: DELIVERY_STATES[value].label })),
];

/** Who is told of what happens here, and how each message stands; for administrators. */
export function WebhooksPage({ me }: { me: Me }) {
  usePageTitle("Webhooks");
  const webhooks = useQuery(webhooksQuery);
  const [asked, ask] = useState<Webhook | "new" | null>(null);
  return (
    <div className={styles.page} data-testid="webhooks-page">
      <div className={styles.title}>
        <h1>Webhooks</h1>
        <Button onClick={() => ask("new")} data-testid="new-webhook">New webhook</Button>
      </div>
      <p className={styles.lead}>A webhook tells another system what happened: ids and addresses, signed, never a patient’s data.</p>
      {webhooks.isError && <Problem error={webhooks.error} onRetry={() => void webhooks.refetch()} />}
      {webhooks.isPending && <Loading of="webhooks" />}
      {webhooks.data && <WebhookTable webhooks={webhooks.data} onChange={ask} />}
      {webhooks.data && webhooks.data.length > 0 && <Messages webhooks={webhooks.data} />}
      <WebhookDialog asked={asked} me={me} onClose={() => ask(null)} />
    </div>
  );
}

function Messages({ webhooks }: { webhooks: readonly Webhook[] }) {
  const filter = usePageFilter();
  const { page, read, change } = filter;
  const state = chosenOf(STATES, read("state"));
  const webhook = webhooks.find(({ id }) => id === read("webhook"))?.id ?? "";
  const deliveries = useQuery(deliveriesQuery({ page, page_size: PAGE_SIZE, ...(state ? { state: [state] } : {}), ...(webhook ? { webhook } : {}) }));
  useExistingPage(filter, deliveries.error);
  return (
    <>
      <h2>Messages</h2>
      <div className={styles.filters}>
        <SegmentedControl
          size="xs" w="fit-content" data={STATES} value={state} aria-label="State of the messages listed"
          onChange={(value) => change({ state: value })}
        />
        <NativeSelect
          size="xs" aria-label="Webhook of the messages listed" value={webhook} onChange={(event) => change({ webhook: event.currentTarget.value })}
          data={[{ value: "", label: "All webhooks" }, ...webhooks.map(({ id, name }) => ({ value: id, label: name }))]}
        />
      </div>
      {deliveries.isError && <Problem error={deliveries.error} onRetry={() => void deliveries.refetch()} />}
      {deliveries.isPending && <Loading of="messages" />}
      {deliveries.data && <DeliveryTable deliveries={deliveries.data.results} asOf={deliveries.dataUpdatedAt} isFiltered={Boolean(state || webhook)} />}
      <PageSteps count={deliveries.data?.count ?? 0} pageSize={PAGE_SIZE} page={page} onChange={(to) => change({ page: String(to) })} />
    </>
  );
}

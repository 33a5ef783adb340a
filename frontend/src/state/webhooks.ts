import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { fetchDeliveries, fetchWebhooks, type Delivery, type DeliveryFilter } from "../server/webhooks";
import { queryClient } from "./queries";

/** No socket tells of messages. */
const REFRESH_MS = 3_000;

/** Whether a person may ask for it once more: one that waits for its first attempt, or is being sent, goes on anyway. */
export function canRedeliver({ state }: Pick<Delivery, "state">): boolean {
  return state !== "queued" && state !== "sending";
}

export const webhooksQuery = queryOptions({ queryKey: ["webhooks"], queryFn: fetchWebhooks });

export const deliveriesQuery = (filter: DeliveryFilter) =>
  queryOptions({
    queryKey: ["deliveries", filter],
    queryFn: () => fetchDeliveries(filter),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });

export function refreshWebhooks(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
}

export function refreshDeliveries(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["deliveries"] });
}

/** Webhooks: receivers that are told what happened, and the messages on their way to them. */
import { bodyOf, client } from "./client";
import { problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Webhook = components["schemas"]["Webhook"];
export type WebhookEvent = components["schemas"]["WebhookEvent"];
export type NewWebhook = components["schemas"]["NewWebhookRequest"];
export type WebhookChange = components["schemas"]["PatchedWebhookChangeRequest"];
/** With its secret, which the server tells this once. */
export type ShownOnce = components["schemas"]["ShownOnce"];
export type Delivery = components["schemas"]["Delivery"];
export type DeliveryState = components["schemas"]["DeliveryState"];
export type DeliveryFilter = NonNullable<paths["/api/v1/deliveries"]["get"]["parameters"]["query"]>;

/** A site has few receivers; those beyond one page of the largest size are left out, the last by name. */
const LARGEST_PAGE = 200;

export async function fetchWebhooks(): Promise<Webhook[]> {
  return (await bodyOf(client.GET("/api/v1/webhooks", { params: { query: { page_size: LARGEST_PAGE } } }))).results;
}

export function createWebhook(body: NewWebhook): Promise<ShownOnce> {
  return bodyOf(client.POST("/api/v1/webhooks", { body }));
}

export function changeWebhook(id: string, body: WebhookChange): Promise<Webhook> {
  return bodyOf(client.PATCH("/api/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: id } }, body }));
}

export async function removeWebhook(id: string): Promise<void> {
  const { error, response } = await client.DELETE("/api/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: id } } });
  if (!response.ok) throw problemOf(response.status, error);
}

export function renewSecret(id: string): Promise<ShownOnce> {
  return bodyOf(client.POST("/api/v1/webhooks/{webhook_id}/secret", { params: { path: { webhook_id: id } } }));
}

export function testWebhook(id: string): Promise<Delivery> {
  return bodyOf(client.POST("/api/v1/webhooks/{webhook_id}/test", { params: { path: { webhook_id: id } } }));
}

export function fetchDeliveries(query: DeliveryFilter) {
  return bodyOf(client.GET("/api/v1/deliveries", { params: { query } }));
}

export function redeliver(id: string): Promise<Delivery> {
  return bodyOf(client.POST("/api/v1/deliveries/{delivery_id}/redeliver", { params: { path: { delivery_id: id } } }));
}

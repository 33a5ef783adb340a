/** What happened: events that are only ever added to, for administrators. */
import { bodyOf, client } from "./client";
import type { components, paths } from "./schema";

export type AuditEvent = components["schemas"]["AuditEvent"];
export type EventKind = components["schemas"]["EventKind"];
export type AuditFilter = NonNullable<paths["/api/v1/audit"]["get"]["parameters"]["query"]>;

export function fetchEvents(query: AuditFilter) {
  return bodyOf(client.GET("/api/v1/audit", { params: { query } }));
}

/** The outbox: approved versions on their way to remote nodes. */
import { bodyOf, client } from "./client";
import type { components, paths } from "./schema";

export type Transfer = components["schemas"]["Transfer"];
export type TransferState = components["schemas"]["TransferState"];
export type TransferFilter = NonNullable<paths["/api/v1/transfers"]["get"]["parameters"]["query"]>;

export function fetchTransfers(query: TransferFilter) {
  return bodyOf(client.GET("/api/v1/transfers", { params: { query } }));
}

/** Asked for again, it is the same transfer. */
export function requestTransfer(annotation: string, node: string): Promise<Transfer> {
  return bodyOf(client.POST("/api/v1/transfers", { body: { annotation, node } }));
}

export function resendTransfer(id: string): Promise<Transfer> {
  return bodyOf(client.POST("/api/v1/transfers/{transfer_id}/resend", { params: { path: { transfer_id: id } } }));
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { LabelVolume } from "../src/geometry/labels";
import { decodeMask, encodeMask } from "../src/geometry/mask_codec";
import type { Statement } from "../src/server/review";
import type { Base } from "../src/state/draft_view";

export const STUDY = "study";

/** One row of voxels, a digit each. */
export const labelsOf = (voxels: string): LabelVolume => ({ shape: [1, 1, voxels.length], voxels: Uint8Array.from(voxels, Number) });

interface Stored {
  revision: number;
  base: string;
  series?: string;
  mask: Uint8Array;
  statements: Statement[];
  author: string;
}

/** The server's part of the contract on a real socket; it can be stopped, started again, made slow, and end a session. */
export class DraftServer {
  stored: Stored | null = null;
  puts = 0;
  delayMs = 0;
  isSignedIn = true;
  author = "me";
  version = "base";
  /** What is another about the study's current version. */
  current: Partial<Base> = {};
  last = 0;
  #server: Server | null = null;
  #port = 0;

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get labels(): string {
    return this.stored ? decodeMask(this.stored.mask).voxels.join("") : "none";
  }

  /** Another reader saves. */
  saveOf(author: string, voxels: string, statements: Statement[] = []): void {
    this.last += 1;
    this.stored = { revision: this.last, base: "base", mask: encodeMask(labelsOf(voxels)), statements, author };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (!this.isSignedIn) return tell(response, 401, { title: "Not signed in", detail: "Sign in." });
    const body = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>) : {};
    if (request.method === "PUT") return this.#put(request, response, body);
    if (!this.stored) return tell(response, 404, { title: "Not found" });
    if (request.method === "DELETE" || request.url?.endsWith("/submit")) {
      if (request.headers["if-match"] !== `"${this.stored.revision}"`) return tell(response, 412, { title: "Changed" });
      this.stored = null;
      return request.method === "DELETE" ? void response.writeHead(204).end() : tell(response, 201, { id: "version" });
    }
    if (request.url?.endsWith("/mask")) return void response.writeHead(200, { ETag: `"${this.stored.revision}"` }).end(this.stored.mask);
    return tell(response, 200, this.#draft());
  }

  #put({ headers }: IncomingMessage, response: ServerResponse, body: Record<string, unknown>): void {
    const expected = this.stored ? headers["if-match"] === `"${this.stored.revision}"` : headers["if-none-match"] === "*";
    if (!expected) return tell(response, 412, { title: "Changed" });
    this.puts += 1;
    this.last += 1;
    const statements = (body["statements"] as Statement[]).map((statement) => ({ ...statement, author: this.author, created: "2026-11-22T10:00:00Z" }));
    this.stored = { revision: this.last, base: String(body["base"]), mask: Buffer.from(String(body["mask"]), "base64"), statements, author: this.author };
    tell(response, headers["if-match"] ? 200 : 201, this.#draft());
  }

  #draft(): object {
    return { series: "series", ...this.stored, mask: undefined, id: "draft", study: STUDY, lesions: [], modified: "2026-11-22T10:00:00Z" };
  }
}

function tell(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

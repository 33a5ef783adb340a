import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** A real server on a real socket, which can be stopped, started again, and kept silent. */
export class FeedServer {
  readonly received: object[] = [];
  isSilent = false;
  #server: WebSocketServer | null = null;
  #port = 0;

  async start(): Promise<void> {
    const server = new WebSocketServer({ port: this.#port, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      socket.on("message", (text) => {
        const message = JSON.parse(String(text)) as { type: string };
        this.received.push(message);
        if (!this.isSilent) socket.send(JSON.stringify(message.type === "ping" ? { type: "pong" } : { ...message, type: "subscribed" }));
      });
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#server?.clients ?? []) socket.terminate();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  announce(event: object): void {
    for (const socket of this.#server?.clients ?? []) socket.send(JSON.stringify(event));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  get connectionCount(): number {
    return this.#server?.clients.size ?? 0;
  }
}

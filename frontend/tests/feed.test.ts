import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket as NodeSocket } from "ws";

import { Feed, type FeedEvent } from "../src/server/feed";
import { FeedServer } from "./feed_server";

const CAUGHT_UP = { type: "caught_up" } as const;

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let server: FeedServer;
let feed: Feed;

beforeEach(async () => {
  server = new FeedServer();
  await server.start();
  const timing = { firstRetryMs: 20, longestRetryMs: 60, pingEveryMs: 60, pongWithinMs: 60 };
  feed = new Feed((url) => new NodeSocket(url) as unknown as WebSocket, timing);
});

afterEach(async () => {
  feed.close();
  await server.stop();
});

it("hears events of the topics that it subscribed to, and no others", async () => {
  const heard: FeedEvent[] = [];
  feed.subscribe({ topic: "study", study: "one" }, (event) => heard.push(event));
  feed.connect(server.url);
  await until(() => server.received.length === 1, "the topic was subscribed");

  server.announce({ type: "annotation.changed", study: "two", annotation: "a", version: 1 });
  server.announce({ type: "upload.progress", upload: "u", state: "done", progress: 1 });
  server.announce({ type: "job.progress", job: "j", study: "one", state: "running", stage: "network", progress: 0.5 });
  await until(() => heard.length > 1, "an event was heard");

  expect(server.received).toEqual([{ type: "subscribe", topic: "study", study: "one" }]);
  expect(heard).toEqual([CAUGHT_UP, { type: "job.progress", job: "j", study: "one", state: "running", stage: "network", progress: 0.5 }]);
});

it("subscribes a topic once for two listeners and leaves it with the last", async () => {
  feed.connect(server.url);
  await until(() => feed.status === "open", "the connection was open");

  const leaveFirst = feed.subscribe({ topic: "worklist" }, () => undefined);
  const leaveSecond = feed.subscribe({ topic: "worklist" }, () => undefined);
  leaveFirst();
  leaveSecond();
  await until(() => server.received.length === 2, "the topic was left");

  expect(server.received).toEqual([
    { type: "subscribe", topic: "worklist" },
    { type: "unsubscribe", topic: "worklist" },
  ]);
});

it("says that the connection is lost, returns, subscribes again and tells listeners to catch up", async () => {
  const heard: FeedEvent[] = [];
  const statuses: string[] = [];
  feed.onStatus(() => statuses.push(feed.status));
  feed.subscribe({ topic: "worklist" }, (event) => heard.push(event));
  feed.connect(server.url);
  await until(() => server.received.length === 1, "the topic was subscribed");

  await server.stop();
  await until(() => feed.status === "lost", "the connection was lost");
  await server.start();
  await until(() => heard.length === 2, "the topic was subscribed again");

  expect(statuses).toEqual(["connecting", "open", "lost", "open"]);
  expect(heard).toEqual([CAUGHT_UP, CAUGHT_UP]);
});

it("tells the listeners of a topic to catch up once the server confirmed it, and those of no other", async () => {
  const heard: FeedEvent[] = [];
  const heardOfOther: FeedEvent[] = [];
  feed.connect(server.url);
  feed.subscribe({ topic: "worklist" }, (event) => heardOfOther.push(event));
  await until(() => heardOfOther.length === 1, "the first topic was confirmed");
  feed.subscribe({ topic: "study", study: "one" }, (event) => heard.push(event));

  expect(heard).toEqual([]);
  await until(() => heard.length === 1, "the second topic was confirmed");
  expect(heard).toEqual([CAUGHT_UP]);
  expect(heardOfOther).toEqual([CAUGHT_UP]);
});

it("asks at once when there is reason to doubt the connection", async () => {
  const patient = new Feed((url) => new NodeSocket(url) as unknown as WebSocket, { firstRetryMs: 20, longestRetryMs: 60, pingEveryMs: 60_000, pongWithinMs: 60 });
  patient.connect(server.url);
  await until(() => patient.status === "open", "the connection was open");

  server.isSilent = true;
  patient.checkNow();
  await until(() => patient.status === "lost", "the silence was noticed");
  patient.close();

  expect(server.received).toEqual([{ type: "ping" }]);
});

it("is lost when the server cannot be reached at all, and connects once it can", async () => {
  await server.stop();
  feed.connect(server.url);
  await until(() => feed.status === "lost", "the connection was lost");

  await server.start();
  await until(() => feed.status === "open", "the connection was open");

  expect(server.connectionCount).toBe(1);
});

it("finds a connection that died without a word", async () => {
  feed.connect(server.url);
  await until(() => feed.status === "open", "the connection was open");

  server.isSilent = true;
  await until(() => feed.status === "lost", "the silence was noticed");
  server.isSilent = false;
  await until(() => feed.status === "open", "the connection was open again");

  expect(server.received).toContainEqual({ type: "ping" });
});

it("stays closed once it is closed", async () => {
  feed.connect(server.url);
  await until(() => feed.status === "open", "the connection was open");

  feed.close();
  await new Promise((resolve) => setTimeout(resolve, 150));

  expect(feed.status).toBe("closed");
  expect(server.connectionCount).toBe(0);
});

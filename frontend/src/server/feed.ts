/**
 * The socket that tells what changed. It carries pointers only; whoever hears one fetches over HTTP.
 * A lost connection is taken up again by itself and topics are subscribed again. Once the server has confirmed a topic,
 * its listeners hear "caught up", which means: anything may have been missed until now, fetch what is shown.
 */
type ToldEvent =
  | { type: "study.changed"; study: string; state: string }
  | { type: "job.progress"; job: string; study: string; state: string; stage: string; progress: number }
  | { type: "annotation.changed"; study: string; annotation: string; version: number }
  | { type: "upload.progress"; upload: string; state: string; progress: number }
  | { type: "draft.changed"; study: string; draft: string; revision: number; author: string }
  | { type: "comment.changed"; study: string; comment: string }
  | { type: "registration.changed"; study: string; registration: string; state: string }
  | { type: "enhancement.changed"; study: string; enhancement: string; state: string }
  | { type: "transfer.changed"; study: string; transfer: string; state: string }
  | { type: "fetch.changed"; study?: string; fetch: string; state: string; progress: number }
  | { type: "snapshot.changed"; snapshot: string; state: string }
  | { type: "run.progress"; run: string; state: string; stage: string; step: number; steps: number }
  | { type: "model.changed"; model: string; stage: string }
  | { type: "presence.changed"; study: string; readers: readonly { reader: string; is_editing: boolean }[] };

export type FeedEvent = ToldEvent | { type: "caught_up" };

export type Topic = { topic: "worklist" } | { topic: "training" } | { topic: "study"; study: string } | { topic: "upload"; upload: string };

/** "connecting" until the first connection, "lost" whenever one that was there, or the first attempt, is gone. */
export type FeedStatus = "closed" | "connecting" | "open" | "lost";

export interface FeedTiming {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
}

const TIMING: FeedTiming = { firstRetryMs: 500, longestRetryMs: 15_000, pingEveryMs: 20_000, pongWithinMs: 8_000 };

type Listener = (event: FeedEvent) => void;

export class Feed {
  #url = "";
  #socket: WebSocket | null = null;
  #status: FeedStatus = "closed";
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  readonly #topics = new Map<string, { topic: Topic; listeners: Set<Listener> }>();
  readonly #statusListeners = new Set<() => void>();

  constructor(
    private readonly openSocket: (url: string) => WebSocket = (url) => new WebSocket(url),
    private readonly timing: FeedTiming = TIMING,
  ) {}

  get status(): FeedStatus {
    return this.#status;
  }

  connect(url: string): void {
    if (this.#url === url && this.#status !== "closed") return;
    this.close();
    this.#url = url;
    this.#setStatus("connecting");
    this.#open();
  }

  /** Tries at once instead of waiting for the next attempt. */
  reconnectNow(): void {
    if (this.#status === "open" || this.#status === "closed") return;
    this.#attempt = 0;
    clearTimeout(this.#retry);
    this.#open();
  }

  /** Asks at once whether anybody is there, when there is reason to doubt it. */
  checkNow(): void {
    if (this.#status === "open") this.#ping();
  }

  close(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#heartbeat);
    this.#drop();
    this.#url = "";
    this.#attempt = 0;
    this.#setStatus("closed");
  }

  /** Says that this reader looks at a study; nobody hears it while the connection is lost. */
  tellPresence(study: string, isEditing: boolean): void {
    this.#send({ type: "presence", study, is_editing: isEditing });
  }

  /** Hears a topic until the returned function is called. */
  subscribe(topic: Topic, listener: Listener): () => void {
    const key = keyOf(topic);
    const entry = this.#topics.get(key) ?? { topic, listeners: new Set<Listener>() };
    if (!this.#topics.has(key)) {
      this.#topics.set(key, entry);
      this.#send({ type: "subscribe", ...topic });
    }
    entry.listeners.add(listener);
    return () => this.#unsubscribe(key, listener);
  }

  onStatus(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  #unsubscribe(key: string, listener: Listener): void {
    const entry = this.#topics.get(key);
    if (!entry?.listeners.delete(listener) || entry.listeners.size > 0) return;
    this.#topics.delete(key);
    this.#send({ type: "unsubscribe", ...entry.topic });
  }

  #open(): void {
    this.#drop();
    const socket = this.openSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#received(String(data));
    socket.onclose = () => this.#lost();
    socket.onerror = () => undefined; // A close follows every error.
  }

  #opened(): void {
    this.#attempt = 0;
    this.#setStatus("open");
    for (const { topic } of this.#topics.values()) this.#send({ type: "subscribe", ...topic });
    this.#scheduleHeartbeat();
  }

  #lost(): void {
    clearTimeout(this.#heartbeat);
    this.#drop();
    this.#setStatus("lost");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), this.#retryDelayMs());
    this.#attempt += 1;
  }

  /** Doubles up to the longest, then between half and all of it, so that many browsers do not return together. */
  #retryDelayMs(): number {
    const longest = Math.min(this.timing.longestRetryMs, this.timing.firstRetryMs * 2 ** this.#attempt);
    return longest / 2 + (Math.random() * longest) / 2;
  }

  #received(text: string): void {
    this.#scheduleHeartbeat();
    const message = JSON.parse(text) as { type: string };
    if (message.type === "subscribed") this.#confirmed(message as unknown as Topic);
    else if (EVENT_TYPES.has(message.type)) this.#announce(message as ToldEvent);
  }

  /** What a page fetched before this moment may be older than the first event it will hear. */
  #confirmed(topic: Topic): void {
    const entry = this.#topics.get(keyOf(topic));
    for (const listener of entry?.listeners ?? []) listener({ type: "caught_up" });
  }

  #announce(event: ToldEvent): void {
    for (const { topic, listeners } of this.#topics.values()) {
      if (concerns(topic, event)) for (const listener of listeners) listener(event);
    }
  }

  /** A connection that died without a word is found by a ping that nobody answers. */
  #scheduleHeartbeat(): void {
    clearTimeout(this.#heartbeat);
    this.#heartbeat = setTimeout(() => this.#ping(), this.timing.pingEveryMs);
  }

  #ping(): void {
    clearTimeout(this.#heartbeat);
    this.#send({ type: "ping" });
    this.#heartbeat = setTimeout(() => this.#lost(), this.timing.pongWithinMs);
  }

  #send(message: object): void {
    if (this.#socket?.readyState === SOCKET_OPEN) this.#socket.send(JSON.stringify(message));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #setStatus(status: FeedStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#statusListeners) listener();
  }
}

const SOCKET_OPEN = 1;
const EVENT_TYPES = new Set([
  "study.changed", "job.progress", "annotation.changed", "upload.progress", "draft.changed", "comment.changed", "presence.changed",
  "registration.changed", "enhancement.changed", "transfer.changed", "fetch.changed", "snapshot.changed", "run.progress", "model.changed",
]);

function keyOf(topic: Topic): string {
  return [topic.topic, "study" in topic ? topic.study : "", "upload" in topic ? topic.upload : ""].join(" ");
}

function concerns(topic: Topic, event: ToldEvent): boolean {
  if (topic.topic === "upload") return event.type === "upload.progress" && event.upload === topic.upload;
  if (event.type === "upload.progress") return false;
  const isTraining = event.type === "snapshot.changed" || event.type === "run.progress" || event.type === "model.changed";
  if (isTraining || topic.topic === "training") return isTraining && topic.topic === "training";
  return topic.topic === "worklist" || event.study === topic.study;
}

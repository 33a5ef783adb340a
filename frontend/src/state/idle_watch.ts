import type { Activity } from "../server/activity";

const WARN_BEFORE_S = 5 * 60;
const TELL_EVERY_S = 60;
/** A warning counts down in steps of this, and one that another tab has settled is gone as soon. */
const LOOK_EVERY_S = 15;
const RETRY_S = 30;

export interface IdleServer {
  fetch(): Promise<Activity>;
  tell(): Promise<Activity>;
}

/** Tells the server that the reader is there, and the page for how many seconds more it takes them to be; null: long enough. */
export class IdleWatch {
  private lastToldMs = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isEnded = false;
  private warned: number | null = null;

  constructor(private readonly server: IdleServer, private readonly warn: (secondsLeft: number | null) => void) {}

  start(): void {
    void this.ask(() => this.server.fetch());
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
  }

  /** Pointer or keys; the server hears of them once a minute, and at once when the page has warned. */
  act(): void {
    const nowMs = Date.now();
    if (this.isEnded || (this.warned === null && nowMs - this.lastToldMs < TELL_EVERY_S * 1000)) return;
    this.lastToldMs = nowMs;
    this.show(null);
    void this.ask(() => this.server.tell());
  }

  private async ask(question: () => Promise<Activity>): Promise<void> {
    clearTimeout(this.timer);
    const answer = await question().catch(() => null);
    if (this.isEnded) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(() => this.server.fetch()), this.follow(answer) * 1000);
  }

  /** Shows what the server says; seconds until it is asked again. */
  private follow(answer: Activity | null): number {
    if (!answer) return RETRY_S;
    const left = answer.seconds_left;
    const warnAt = Math.min(WARN_BEFORE_S, answer.idle_s / 4);
    if (left === null) return RETRY_S * 10;
    this.show(left <= warnAt ? left : null);
    return left <= warnAt ? Math.min(LOOK_EVERY_S, left + 1) : Math.max(1, left - warnAt);
  }

  private show(secondsLeft: number | null): void {
    if (secondsLeft === this.warned) return;
    this.warned = secondsLeft;
    this.warn(secondsLeft);
  }
}

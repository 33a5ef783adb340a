/** What the server says when it refuses. Source: RFC 9457, application/problem+json. */
interface ProblemDetails {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  errors?: { field: string; detail: string }[];
}

export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly code: string,
    readonly fields: readonly { field: string; detail: string }[],
    /** After how many seconds the server asks to be asked again, where it says so. */
    readonly waitS: number | null = null,
  ) {
    super(detail);
  }
}

/** Status 0: the request did not reach the server. */
export const UNREACHABLE = 0;

export function unreachable(): ProblemError {
  const detail = "The server cannot be reached. Check the network.";
  return new ProblemError(UNREACHABLE, "No connection", detail, "unreachable", []);
}

const TOO_MANY = 429;

/** Whether the same question may be answered later: it did not arrive, came too soon after others, or the server failed. */
export function isPassing(error: unknown): error is ProblemError {
  return error instanceof ProblemError && (error.status === UNREACHABLE || error.status === TOO_MANY || error.status >= 500);
}

/** The problem that a response holds; a response without one is told by its status. */
export function problemOf(status: number, body: unknown, headers?: Headers): ProblemError {
  const details: ProblemDetails = typeof body === "object" && body !== null ? body : {};
  const title = details.title ?? (status >= 500 ? "The server failed" : "The server refused this");
  const detail = details.detail ?? `It answered with HTTP status ${status}.`;
  const waitS = Number.parseInt(headers?.get("Retry-After") ?? "", 10);
  return new ProblemError(status, title, detail, details.code ?? String(status), details.errors ?? [], Number.isNaN(waitS) ? null : waitS);
}

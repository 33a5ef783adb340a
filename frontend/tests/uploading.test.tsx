// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { UploadDock } from "../src/components/upload_dock";
import { ProblemError, problemOf, unreachable } from "../src/server/problem";
import type { Me, Upload } from "../src/server/types";
import { fetchUpload, sendBatch, type NamedFile, type SendOptions } from "../src/server/uploads";
import { useNewCodes } from "../src/state/account";
import { useKeymap } from "../src/state/keymap";
import { feed } from "../src/state/live";
import { meQuery, queryClient } from "../src/state/queries";
import { forgetReader } from "../src/state/sign_out";
import { useUploading } from "../src/state/uploading";

vi.mock("../src/server/uploads", async (importActual) => ({ ...(await importActual<object>()), sendBatch: vi.fn(), fetchUpload: vi.fn() }));

const POLL_MS = 2_000;
const sent = vi.mocked(sendBatch);
const asked = vi.mocked(fetchUpload);

const filesOf = (count: number): NamedFile[] => Array.from({ length: count }, (_, index) => ({ path: `${index}`, file: { size: 10 } as File }));
const uploadOf = (state: Upload["state"], name: string) =>
  ({ id: name, state, reason: "", progress: state === "done" ? 1 : 0.5, files: [{ name, outcome: "accepted", reason: "" }], studies: [name] }) as unknown as Upload;
const now = () => useUploading.getState();

/** A batch that is on its way until it is stopped, as the browser's request is. */
const untilStopped = (_: readonly NamedFile[], { signal }: SendOptions) =>
  new Promise<Upload>((_resolve, reject) => signal.addEventListener("abort", () => reject(new DOMException("The upload was stopped.", "AbortError"))));

beforeEach(() => {
  vi.useFakeTimers();
  sent.mockReset();
  asked.mockReset();
});

afterEach(() => {
  now().forget();
  vi.useRealTimers();
});

describe("an upload whose server is out of reach for a while", () => {
  it("is asked for again until the server answers, and goes on with what is left", async () => {
    sent.mockResolvedValueOnce(uploadOf("processing", "first")).mockResolvedValueOnce(uploadOf("done", "second"));
    asked.mockRejectedValueOnce(unreachable()).mockRejectedValueOnce(problemOf(502, null)).mockRejectedValueOnce(problemOf(429, null))
      .mockResolvedValueOnce(uploadOf("done", "first"));
    const ended = now().send(filesOf(501), null);

    const outages: string[] = [];
    for (let poll = 0; poll < 3; poll += 1) {
      await vi.advanceTimersByTimeAsync(POLL_MS);
      outages.push(now().outage);
      expect([now().phase, now().problem]).toEqual(["processing", ""]);
    }
    await vi.advanceTimersByTimeAsync(POLL_MS);
    await ended;

    expect(outages).toEqual(["The server cannot be reached. Check the network.", "It answered with HTTP status 502.", "It answered with HTTP status 429."]);
    expect(sent.mock.calls.map(([batch]) => batch.length)).toEqual([500, 1]);
    expect(now()).toMatchObject({ phase: "done", outage: "", problem: "", studies: ["first", "second"] });
  });

  it("says so, and that it goes on", async () => {
    vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
    sent.mockResolvedValue(uploadOf("processing", "first"));
    asked.mockRejectedValue(unreachable());
    const root = createRoot(document.body);
    await act(async () => root.render(<MantineProvider><MemoryRouter><UploadDock /></MemoryRouter></MantineProvider>));

    await act(async () => {
      void now().send(filesOf(1), null);
      await vi.advanceTimersByTimeAsync(POLL_MS);
    });

    expect(document.querySelector("[role=status]")?.textContent).toBe("The server cannot be reached. Check the network. The page goes on asking.");
    expect(document.querySelector("strong")?.textContent).toBe("Reading 1 file");
    act(() => root.unmount());
    vi.unstubAllGlobals();
  });

  it("has failed once the server refuses", async () => {
    sent.mockResolvedValue(uploadOf("processing", "first"));
    asked.mockRejectedValueOnce(unreachable()).mockRejectedValueOnce(problemOf(404, { detail: "No such upload." }));
    const ended = now().send(filesOf(501), null);

    await vi.advanceTimersByTimeAsync(2 * POLL_MS);
    await ended;

    expect(now()).toMatchObject({ phase: "failed", problem: "No such upload.", outage: "" });
    expect(sent).toHaveBeenCalledOnce();
  });

  it("sends to the sign-in page once its session has ended, whether it is sent or asked for", async () => {
    const isAskedWho = () => queryClient.getQueryState(meQuery.queryKey)?.isInvalidated;
    for (const refused of [sent, asked]) {
      queryClient.setQueryData(meQuery.queryKey, {} as Me);
      sent.mockResolvedValue(uploadOf("processing", "first"));
      refused.mockRejectedValue(problemOf(401, { detail: "Not signed in." }));
      expect(isAskedWho()).toBe(false);

      const ended = now().send(filesOf(1), null);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await vi.advanceTimersByTimeAsync(POLL_MS);
      // oxlint-disable-next-line no-await-in-loop
      await ended;

      expect(now()).toMatchObject({ phase: "failed", problem: "Not signed in." });
      expect(isAskedWho()).toBe(true);
      sent.mockReset();
    }
  });

  it("is stopped at once", async () => {
    sent.mockResolvedValue(uploadOf("processing", "first"));
    asked.mockRejectedValue(unreachable());
    const ended = now().send(filesOf(1), null);
    await vi.advanceTimersByTimeAsync(POLL_MS);

    now().stop();
    await ended;

    expect(now()).toMatchObject({ phase: "stopped", outage: "", problem: "" });
  });
});

describe("two drops", () => {
  it("are both ended by Stop, and what is dropped later is sent", async () => {
    sent.mockImplementationOnce(untilStopped).mockResolvedValueOnce(uploadOf("done", "third"));
    const ended = [now().send(filesOf(2), null), now().send(filesOf(3), null)];
    await vi.advanceTimersByTimeAsync(0);
    expect(now()).toMatchObject({ phase: "sending", fileCount: 5, bytesTotal: 50 });

    now().stop();
    await Promise.all(ended);
    expect(sent).toHaveBeenCalledOnce();
    expect(now().phase).toBe("stopped");

    await now().send(filesOf(1), "north");
    expect(sent.mock.calls.map(([batch, { site }]) => [batch.length, site])).toEqual([[2, null], [1, "north"]]);
    expect(now()).toMatchObject({ phase: "done", fileCount: 1, bytesTotal: 10, studies: ["third"] });
  });

  it("that follow a Stop at once are not stopped with it", async () => {
    sent.mockImplementationOnce(untilStopped).mockResolvedValueOnce(uploadOf("done", "second"));
    const stopped = now().send(filesOf(2), null);
    await vi.advanceTimersByTimeAsync(0);

    now().stop();
    await Promise.all([now().send(filesOf(1), null), stopped]);

    expect(now()).toMatchObject({ phase: "done", fileCount: 1, studies: ["second"] });
  });

  it("of which the first is refused end as failed, though the second is sent", async () => {
    sent.mockRejectedValueOnce(new ProblemError(413, "Too large", "The files are too large.", "too_large", []))
      .mockResolvedValueOnce(uploadOf("done", "second"));

    await Promise.all([now().send(filesOf(1), null), now().send(filesOf(1), null)]);

    expect(sent).toHaveBeenCalledTimes(2);
    expect(now()).toMatchObject({ phase: "failed", problem: "The files are too large.", studies: ["second"] });
  });
});

describe("after one reader the next", () => {
  it("finds nothing of an upload that was going on, and sends files of their own", async () => {
    sent.mockImplementationOnce(untilStopped).mockResolvedValueOnce(uploadOf("done", "theirs"));
    const ended = now().send(filesOf(7), null);
    await vi.advanceTimersByTimeAsync(0);

    now().forget();
    const idle = { phase: "idle", fileCount: 0, bytesTotal: 0, bytesSent: 0, processed: 0, files: [], studies: [], problem: "", outage: "" };
    expect(now()).toMatchObject(idle);
    await ended;
    expect(now()).toMatchObject(idle);

    await now().send(filesOf(1), null);
    expect(now()).toMatchObject({ phase: "done", fileCount: 1, studies: ["theirs"] });
  });

  it("finds no codes, reports, keys or answers of the server", () => {
    useNewCodes.getState().show(["1234-5678"]);
    useUploading.setState({ phase: "done", fileCount: 1, files: [{ name: "Doe^Jane.dcm", outcome: "accepted", reason: "" }] as never });
    useKeymap.getState().take({ "lesion.next": ["j"] });
    queryClient.setQueryData(["patient", "p"], { name: "Doe^Jane" });
    queryClient.setQueryData(meQuery.queryKey, { username: "ana" } as never);
    const close = vi.spyOn(feed, "close");

    forgetReader();

    expect(useNewCodes.getState().codes).toEqual([]);
    expect(now()).toMatchObject({ phase: "idle", fileCount: 0, files: [] });
    expect(useKeymap.getState().keys).toEqual({});
    expect(queryClient.getQueryCache().getAll()).toEqual([]);
    expect(close).toHaveBeenCalledOnce();
  });
});

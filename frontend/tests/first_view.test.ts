import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { askFrameAhead, fetchFrame } from "../src/server/dicomweb";
import type { Annotation, SliceStack, StudyDetail } from "../src/server/types";
import { firstSeriesOf, startSliceOf } from "../src/state/first_view";

describe("a frame that was asked for ahead", () => {
  let server: Server;
  let asked: string[];
  let status: number;
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  beforeEach(async () => {
    [asked, status] = [[], 200];
    server = createServer(({ url: path = "" }, response) => {
      asked.push(path);
      response.writeHead(status, { "Content-Type": "application/octet-stream" }).end(status === 200 ? `pixels of ${path}` : "{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(() => server.close());

  it("is fetched once, and again only when it is asked for again", async () => {
    void askFrameAhead(url("/1"), "high");

    expect(new TextDecoder().decode(await fetchFrame(url("/1"), "high"))).toBe("pixels of /1");
    expect(asked).toEqual(["/1"]);
    await fetchFrame(url("/1"), "high");
    expect(asked).toEqual(["/1", "/1"]);
  });

  it("does not stand for another one", async () => {
    void askFrameAhead(url("/1"), "low");

    expect(new TextDecoder().decode(await fetchFrame(url("/2"), "low"))).toBe("pixels of /2");
  });

  it("is refused to the one who waits for it, and fetched anew after that", async () => {
    status = 503;
    const ahead = askFrameAhead(url("/1"), "high");
    await expect(fetchFrame(url("/1"), "high")).rejects.toMatchObject({ status: 503 });
    await expect(ahead).rejects.toMatchObject({ status: 503 });

    status = 200;
    expect(new TextDecoder().decode(await fetchFrame(url("/1"), "high"))).toBe("pixels of /1");
  });
});

describe("the first view of a study", () => {
  const slices = { slices: Array.from({ length: 5 }) } as SliceStack;

  it("is of the series that was read, else of the one that would be", () => {
    expect(firstSeriesOf({ annotation: { series: "read" }, flair_series: "flair" } as StudyDetail)).toBe("read");
    expect(firstSeriesOf({ annotation: null, flair_series: "flair" } as StudyDetail)).toBe("flair");
    expect(firstSeriesOf({ annotation: null, flair_series: null } as StudyDetail)).toBeNull();
  });

  it("is the slice with most lesions, else the middle one", () => {
    const annotation = { counts_by_slice: { active: [0, 0, 0, 1, 0], inactive: [0, 1, 0, 2, 0] } } as Annotation;

    expect(startSliceOf(slices, annotation)).toBe(3);
    expect(startSliceOf(slices, undefined)).toBe(2);
  });
});

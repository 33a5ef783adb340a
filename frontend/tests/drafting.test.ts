import { describe, expect, it } from "vitest";

import { editOf } from "../src/geometry/edits/voxel_edit";
import { BASE, change, confirmed, keptCount, labelsIn, page, saved, server, until } from "./draft_page";

describe("saving", () => {
  it("follows edits by itself, several at once, and takes them out of the browser's store", async () => {
    const session = await page();
    expect([session.view().save, session.view().draft]).toEqual(["none", null]);

    change(session, { 2: 1 });
    change(session, { 3: 2 }, [confirmed("a", 4)]);
    await saved(session);

    expect([server.puts, server.labels, server.stored?.base]).toEqual([1, "11122200", "base"]);
    expect(session.view().draft?.revision).toBe(1);
    expect(session.view().statements).toEqual([{ ...confirmed("a", 4), author: "me", created: "2026-11-22T10:00:00Z" }]);
    await session.close();
    expect(await keptCount()).toBe(0);
  });

  it("sends one request at a time and loses no edit that is made meanwhile", async () => {
    const session = await page();
    server.delayMs = 60;
    change(session, { 2: 1 });
    await until(() => session.view().save === "saving", "it was being saved");
    change(session, { 3: 1 });
    await saved(session);

    expect([server.puts, server.labels, session.view().draft?.revision]).toEqual([2, "11112200", 2]);
  });

  it("goes on at the latest after a while, however fast edits come", async () => {
    const session = await page();
    for (let round = 0; round < 12; round += 1) {
      change(session, { 2: round % 2 });
      await new Promise((resolve) => setTimeout(resolve, 12));
    }

    expect(server.puts).toBeGreaterThan(0);
  });

  it("asks for nothing when an undo leads back to what the server holds", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await saved(session);
    change(session, { 3: 1 });
    session.undo();
    await saved(session);

    expect(server.puts).toBe(1);
    session.undo();
    await saved(session);
    expect([server.puts, server.labels]).toEqual([2, BASE]);
  });

  it("takes up the draft that is there", async () => {
    server.saveOf("other", "11102200", [confirmed("a", 0)]);
    const session = await page();

    expect([labelsIn(session), session.view().save, session.view().statements.length]).toEqual(["11102200", "saved", 1]);
    change(session, { 7: 2 });
    await saved(session);
    expect([server.labels, server.stored?.revision]).toEqual(["11102202", 2]);
  });
});

describe("nothing is lost", () => {
  it("when the network is gone: edits are kept here, and saved once it is back", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await saved(session);
    await server.stop();

    change(session, { 3: 2 });
    await until(() => session.view().save === "offline", "it was offline");
    expect(await keptCount()).toBe(1);
    expect(session.view().problem).toContain("cannot be reached");
    await server.start();
    await saved(session);

    expect([server.labels, session.view().problem]).toEqual(["11122200", null]);
  });

  it("when the session has expired", async () => {
    const session = await page();
    server.isSignedIn = false;
    change(session, { 2: 1 });
    await until(() => session.view().save === "offline", "it was offline");

    server.isSignedIn = true;
    await saved(session);

    expect(server.labels).toBe("11102200");
  });

  it("when the tab is closed without the server: the next one takes the edits up and saves them", async () => {
    const session = await page();
    await server.stop();
    change(session, { 2: 1 }, [confirmed("a", 4)]);
    await session.close();
    await server.start();

    const next = await page();
    expect(labelsIn(next)).toBe("11102200");
    await saved(next);

    expect([server.labels, server.stored?.statements.map(({ id }) => id)]).toEqual(["11102200", ["a"]]);
    await next.close();
    expect(await keptCount()).toBe(0);
  });

  it("when the tab is opened again before the server is back", async () => {
    const session = await page();
    await server.stop();
    change(session, { 2: 1 });
    await session.close();

    const next = await page();
    expect([labelsIn(next), next.view().save]).toEqual(["11102200", "offline"]);
    await server.start();
    await saved(next);

    expect(server.labels).toBe("11102200");
  });

  it("when two tabs of one reader were closed without the server", async () => {
    const [first, second] = [await page(), await page()];
    await server.stop();
    change(first, { 2: 1 });
    change(second, { 7: 2 });
    await first.close();
    await second.close();
    await server.start();

    const next = await page();
    await until(() => server.labels === "11102202", "both were saved");
    await next.close();

    expect(await keptCount()).toBe(0);
  });

  it("and is shown to nobody else who signs in here", async () => {
    const session = await page("me");
    await server.stop();
    change(session, { 2: 1 });
    await session.close();
    await server.start();

    expect(labelsIn(await page("somebody else"))).toBe(BASE);
    expect(await keptCount("me")).toBe(1);
  });
});

describe("two readers", () => {
  it("see each other's edits while nothing is unsaved", async () => {
    const session = await page();
    server.saveOf("other", "11102200");
    session.heard(1);
    await until(() => labelsIn(session) === "11102200", "their edit was shown");

    expect([session.view().draft?.author, session.view().isDirty]).toEqual(["other", false]);
  });

  it("have edits of different places merged, while unsaved, and both are saved", async () => {
    const session = await page();
    change(session, { 2: 1 });
    server.saveOf("other", "11002202");
    session.heard(1);
    await saved(session);

    expect([labelsIn(session), server.labels, server.stored?.revision]).toEqual(["11102202", "11102202", 2]);
  });

  it("whose save comes first is merged by the other's refusal, without an event", async () => {
    const session = await page();
    server.saveOf("other", "11002202");
    change(session, { 2: 1 });
    await saved(session);

    expect(server.labels).toBe("11102202");
  });

  it("are shown both sides of a conflict, and nothing is saved until one is chosen", async () => {
    const session = await page();
    change(session, { 0: 2, 1: 2, 7: 1 });
    server.saveOf("other", "00002200");
    await until(() => session.view().save === "conflict", "there was a conflict");
    const [place] = session.view().conflict?.places ?? [];

    expect([[...(place?.voxels ?? [])], [...(place?.mine ?? [])], [...(place?.theirs ?? [])]]).toEqual([[0, 1], [2, 2], [0, 0]]);
    expect([session.view().conflict?.author, server.labels, labelsIn(session)]).toEqual(["other", "00002200", "22002201"]);
    expect(await keptCount()).toBe(1);
    session.resolve(["theirs"]);
    await saved(session);
    expect([server.labels, labelsIn(session), session.view().conflict]).toEqual(["00002201", "00002201", null]);
  });

  it("can keep their own side", async () => {
    const session = await page();
    change(session, { 0: 2, 1: 2 });
    server.saveOf("other", "00002202");
    await until(() => session.view().save === "conflict", "there was a conflict");
    session.resolve(["mine"]);
    await saved(session);

    expect(server.labels).toBe("22002202");
  });

  it("find the conflict again when the tab was closed in the middle of it", async () => {
    const session = await page();
    change(session, { 0: 2, 1: 2 });
    server.saveOf("other", "00002200");
    await until(() => session.view().save === "conflict", "there was a conflict");
    await session.close();

    const next = await page();
    expect([next.view().save, labelsIn(next), server.labels]).toEqual(["conflict", "22002200", "00002200"]);
    next.resolve(["mine"]);
    await saved(next);
    expect(server.labels).toBe("22002200");
  });

  it("draw on while the other's edit arrives: a stroke is never cut off", async () => {
    const session = await page();
    session.extendStroke(editOf(session.view().labels, new Map([[2, 1]])));
    server.saveOf("other", "11002202");
    session.heard(1);
    session.extendStroke(editOf(session.view().labels, new Map([[3, 1]])));
    expect(labelsIn(session)).toBe("11112200");
    session.endStroke();
    await saved(session);

    expect([server.labels, session.view().canUndo]).toEqual(["11112202", true]);
    session.undo();
    await saved(session);
    expect(server.labels).toBe("11002202");
  });
});

describe("a draft that ends", () => {
  it("is discarded here and there", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await saved(session);
    await session.discard();

    expect([server.stored, labelsIn(session), session.view().save, session.view().canUndo]).toEqual([null, BASE, "none", false]);
  });

  it("is submitted after what was not saved yet", async () => {
    const session = await page();
    change(session, { 2: 1 });
    const version = await session.submit("done");

    expect([version, server.puts, session.view().draft]).toEqual([{ id: "version" }, 1, null]);
  });

  it("is not submitted when it cannot be saved", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await server.stop();

    await expect(session.submit("done")).rejects.toThrow("cannot be reached");
    await server.start();
    await saved(session);
    expect(server.labels).toBe("11102200");
  });

  it("elsewhere leaves edits that were not saved yet, on top of what came of it", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await saved(session);
    server.stored = null;
    server.version = "next version";
    change(session, { 3: 1 });
    await saved(session);

    expect([server.labels, server.stored?.["base"]]).toEqual(["11012200", "next version"]);
  });

  it("elsewhere is heard of while what it was is still on its way here", async () => {
    const session = await page();
    const direct = globalThis.fetch;
    let arrive = () => {};
    const late = new Promise<void>((resolve) => (arrive = resolve));
    let hasLeft = false;
    globalThis.fetch = async (...request) => {
      const answer = await direct(...request);
      if (!answer.url.endsWith("/mask")) return answer;
      hasLeft = true;
      await late;
      return answer;
    };

    server.saveOf("other", "11002222");
    session.heard(1);
    await until(() => hasLeft, "the server had told of the draft");
    server.stored = null;
    session.heard(0);
    let hasShown = false;
    session.subscribe(() => (hasShown ||= session.view().draft !== null));
    globalThis.fetch = direct;
    arrive();
    await until(() => hasShown && session.view().draft === null, "the draft was seen, and seen to be gone");

    expect(labelsIn(session)).toBe(BASE);
  });
});

import { describe, expect, it } from "vitest";

import { change, keptCount, labelsIn, page, saved, server, until } from "./draft_page";
import { labelsOf } from "./draft_server";

describe("where the study's version is of another series by now", () => {
  const OTHER = "22220000";
  const isOfOther = () => (server.current = { annotation: "second", series: "other series", labels: labelsOf(OTHER) });

  it("a draft stays on its own", async () => {
    server.saveOf("other", "11102200");
    isOfOther();
    const session = await page();

    expect([labelsIn(session), session.view().series, session.view().base]).toEqual(["11102200", "series", "base"]);
  });

  it("edits that were not saved when the draft was discarded become a draft of their own series", async () => {
    const session = await page();
    change(session, { 2: 1 });
    await saved(session);
    isOfOther();
    server.stored = null;
    change(session, { 3: 1 });
    await saved(session);

    expect([server.labels, server.stored?.["base"], session.view().series]).toEqual(["11012200", "base", "series"]);
  });

  it("a step cannot be undone on the other series", async () => {
    const session = await page();
    change(session, { 0: 2, 1: 2 });
    await saved(session);
    isOfOther();
    server.stored = null;
    session.heard(0);
    await until(() => session.view().series === "other series", "the other series was shown");
    session.undo();

    expect([labelsIn(session), session.view().canUndo, session.view().isDirty]).toEqual([OTHER, false, false]);
  });

  it("what a closed tab left behind is saved on its own", async () => {
    const session = await page();
    await server.stop();
    change(session, { 2: 1 });
    await session.close();
    await server.start();
    isOfOther();

    const next = await page();
    await saved(next);

    expect([server.labels, server.stored?.base, next.view().series]).toEqual(["11102200", "base", "series"]);
    await next.close();
    expect(await keptCount()).toBe(0);
  });

  it("edits wait in this browser for a draft of the other series to end", async () => {
    const session = await page();
    isOfOther();
    server.saveOf("other", OTHER);
    if (server.stored) server.stored = { ...server.stored, base: "second", series: "other series" };
    change(session, { 2: 1 });
    await until(() => session.view().save === "offline", "it was kept here");

    expect([server.labels, labelsIn(session), session.view().problem]).toEqual([OTHER, "11102200", "The study has a draft of another series, and only one at a time."]);
    expect(await keptCount()).toBe(1);
    server.stored = null;
    await saved(session);
    expect([server.labels, server.stored?.["base"]]).toEqual(["11102200", "base"]);
  });

  it("a draft of the other series is what is left when such edits are discarded", async () => {
    const session = await page();
    isOfOther();
    server.saveOf("other", "22220002");
    if (server.stored) server.stored = { ...server.stored, base: "second", series: "other series" };
    change(session, { 2: 1 });
    await until(() => session.view().save === "offline", "it was kept here");
    await session.discard();

    expect([labelsIn(session), session.view().series, session.view().save, server.labels]).toEqual(["22220002", "other series", "saved", "22220002"]);
  });
});

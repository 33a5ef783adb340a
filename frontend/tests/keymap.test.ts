import { afterEach, describe, expect, it } from "vitest";

import { conflictsOf, useKeymap, withKeys } from "../src/state/keymap";
import { chordOf, chordText } from "../src/tools/chords";
import { commandOf, commandOfKey, COMMANDS, keysOf } from "../src/tools/commands";

afterEach(() => useKeymap.getState().take({}));

describe("chords", () => {
  it.each([
    [{ key: "n" }, "n"],
    [{ key: "N" }, "n"],
    [{ key: "N", shiftKey: true }, "Shift+n"],
    [{ key: "?", shiftKey: true }, "?"],
    [{ key: "ArrowUp", shiftKey: true }, "Shift+ArrowUp"],
    [{ key: "z", metaKey: true }, "Ctrl+z"],
    [{ key: "Z", ctrlKey: true, shiftKey: true }, "Ctrl+Shift+z"],
    [{ key: "+" }, "+"],
    [{ key: "+", ctrlKey: true }, "Ctrl++"],
  ])("of %j is %s", (press, chord) => {
    expect(chordOf(press)).toBe(chord);
  });

  it.each([
    ["n", "N"],
    ["Ctrl+Shift+z", "Ctrl Shift Z"],
    ["PageUp", "Page ↑"],
    ["Ctrl++", "Ctrl +"],
    [" ", "Space"],
  ])("%j is read as %s", (chord, text) => {
    expect(chordText(chord)).toBe(text);
  });
});

describe("chosen keys", () => {
  it("run the command in place of its own", () => {
    useKeymap.getState().take({ "lesion.next": ["j"] });

    expect(commandOfKey("j")?.id).toBe("lesion.next");
    expect(commandOfKey("n")).toBeUndefined();
  });

  it("are told as a conflict where two commands have them", () => {
    const conflicts = conflictsOf(COMMANDS, { "lesion.next": ["p", "j"] });

    expect([...conflicts].map(([key, commands]) => [key, commands.map(({ id }) => id)])).toEqual([["p", ["lesion.next", "lesion.previous"]]]);
  });

  it("are forgotten once they are the command's own again", () => {
    const next = commandOf("lesion.next");
    const chosen = withKeys({ "lesion.previous": ["k"] }, next, ["j", "j"]);

    expect(chosen).toEqual({ "lesion.previous": ["k"], "lesion.next": ["j"] });
    expect(withKeys(chosen, next, ["n"])).toEqual({ "lesion.previous": ["k"] });
  });

  it("may be none", () => {
    expect(keysOf(commandOf("lesion.next"), { "lesion.next": [] })).toEqual([]);
  });
});

import { expect, it } from "vitest";

import { initialsOf } from "../src/components/presence_marks";
import { othersOf } from "../src/state/presence";

it("tells everybody else on a study, those who edit first", () => {
  const readers = ["me", "zoe", "anna", "ben"].map((reader) => ({ reader, is_editing: reader === "zoe" || reader === "me" }));

  expect(othersOf({ type: "presence.changed", study: "one", readers }, "me")).toEqual([
    { reader: "zoe", isEditing: true }, { reader: "anna", isEditing: false }, { reader: "ben", isEditing: false },
  ]);
});

it.each([
  ["anna", "AN"],
  ["anna.klein", "AK"],
  ["anna_maria_klein", "AM"],
  ["b", "B"],
  ["", ""],
])("shows %s as %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { useKeymap } from "../src/state/keymap";
import type { CommandContext } from "../src/tools/command";
import { COMMANDS, keysOf } from "../src/tools/commands";
import { useCommandKey, useCommandKeys } from "../src/tools/keyboard";

const ran: string[] = [];
let root: Root;

function Room() {
  useCommandKeys(() => ({}) as CommandContext);
  return (
    <>
      <div role="slider" tabIndex={0} aria-label="Slice" aria-valuenow={1} />
      <div role="tablist"><button role="tab">Lesions</button></div>
      <input type="radio" aria-label="Fill" />
      <input type="checkbox" aria-label="Outline" />
      <input aria-label="Comment" />
    </>
  );
}

function Worklist() {
  useCommandKey("queue.next", () => ran.push("queue.next"));
  return null;
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  ran.length = 0;
  for (const command of COMMANDS) {
    vi.spyOn(command, "run").mockImplementation(() => void ran.push(command.id));
    if (command.release) vi.spyOn(command, "release").mockImplementation(() => undefined);
  }
  document.body.innerHTML = "<div></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
  act(() => root.render(<Room />));
});

afterEach(() => {
  act(() => root.unmount());
  useKeymap.getState().take({});
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** What ran when the key was pressed on the element, and whether the browser was kept from using the key itself. */
function press(selector: string, key: string, options: KeyboardEventInit = {}): [ran: string[], isTaken: boolean] {
  ran.length = 0;
  const event = new KeyboardEvent("keydown", { key, code: key, bubbles: true, cancelable: true, ...options });
  document.querySelector(selector)?.dispatchEvent(event);
  return [[...ran], event.defaultPrevented];
}

const CONTROLS = ["[role=slider]", "[role=tab]", "[type=radio]"];

describe.each(CONTROLS)("with the focus on %s", (control) => {
  it.each([
    ["Delete", {}, "lesion.delete"],
    ["Backspace", {}, "measure.delete"],
    ["Backspace", { shiftKey: true }, "measure.clear"],
    ["Enter", { ctrlKey: true }, "review.step"],
    ["Escape", {}, "lesion.none"],
    ["n", {}, "lesion.next"],
  ])("%s %j runs %s", (key, options, command) => {
    expect(press(control, key, options)).toEqual([[command], true]);
  });

  it.each(["ArrowUp", "ArrowLeft", "PageDown", "Home", "End"])("%s is the control's own", (key) => {
    expect(press(control, key)).toEqual([[], false]);
  });
});

it("a key that presses a control is left to it, whatever command the reader gave it", () => {
  useKeymap.getState().take({ "overlay.all": [" "] });

  for (const control of ["[role=tab]", "[type=radio]", "[type=checkbox]"]) expect(press(control, " ")).toEqual([[], false]);
  expect(press("body", " ")).toEqual([["overlay.all"], true]);
});

it("whoever types runs no command", () => {
  expect(press("[aria-label=Comment]", "Delete")).toEqual([[], false]);
});

describe("a key that is held", () => {
  const repeated = COMMANDS.filter(({ isRepeated }) => isRepeated).map(({ id }) => id);

  it("goes on with these commands and no others", () => {
    expect(repeated).toEqual([
      "slice.previous", "slice.next", "slice.back", "slice.forward", "view.zoom_in", "view.zoom_out", "lesion.next", "lesion.previous",
      "changes.next", "changes.previous", "edit.smaller", "edit.larger", "edit.undo", "edit.redo",
    ]);
  });

  it("deletes one lesion, and does nothing else by itself meanwhile", () => {
    expect(press("body", "Delete")).toEqual([["lesion.delete"], true]);
    expect(press("body", "Delete", { repeat: true })).toEqual([[], true]);
  });

  it("runs every other command once", () => {
    const once = COMMANDS.filter(({ id }) => !repeated.includes(id)).flatMap((command) => keysOf(command));
    const bare = once.filter((key) => !key.includes("+"));

    expect(bare.flatMap((key) => press("body", key, { repeat: true })[0])).toEqual([]);
    expect(bare.flatMap((key) => press("body", key)[0])).toHaveLength(bare.length);
  });

  it("turns slices on and on", () => {
    expect(press("body", "ArrowDown", { repeat: true })).toEqual([["slice.next"], true]);
  });

  it("opens one study from the worklist", () => {
    act(() => root.render(<Worklist />));

    expect(press("body", "u")).toEqual([["queue.next"], true]);
    expect(press("body", "u", { repeat: true })).toEqual([[], true]);
  });
});

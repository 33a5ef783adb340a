import { useEffect, useEffectEvent } from "react";

import type { Command, CommandContext } from "./command";
import { commandOfEvent } from "./commands";

/** Runs commands by key while the component is shown, unless the reader types, uses a control, or a dialog is open. */
export function useCommandKeys(contextNow: () => CommandContext): void {
  const context = useEffectEvent(contextNow);

  useEffect(() => {
    const held = new Map<string, { command: Command; since: number }>();
    const stopping = new AbortController();
    const release = (key: string) => {
      const pressed = held.get(key);
      if (!pressed) return;
      held.delete(key);
      pressed.command.release?.(context(), performance.now() - pressed.since);
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOfEvent(event);
      if (!command || isMeantForOthers(event)) return;
      event.preventDefault();
      if (isIdleRepeat(command, event)) return;
      command.run(context());
      if (command.release) held.set(event.code, { command, since: performance.now() });
    };
    // Before the viewport's own listeners, which take every key away from the page.
    window.addEventListener("keydown", onKeyDown, { signal: stopping.signal, capture: true });
    window.addEventListener("keyup", ({ code }) => release(code), { signal: stopping.signal });
    window.addEventListener("blur", () => [...held.keys()].forEach(release), { signal: stopping.signal });
    return () => stopping.abort();
  }, []);
}

/** Runs one command's key on a page that has no study open. */
export function useCommandKey(id: string, action: () => void): void {
  const act = useEffectEvent(action);
  useEffect(() => {
    const stopping = new AbortController();
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOfEvent(event);
      if (command?.id !== id || isMeantForOthers(event)) return;
      event.preventDefault();
      if (!isIdleRepeat(command, event)) act();
    };
    window.addEventListener("keydown", onKeyDown, { signal: stopping.signal });
    return () => stopping.abort();
  }, [id]);
}

/** A key that is held sends itself again and again: what deletes, chooses or opens something is done once. */
function isIdleRepeat(command: Command, event: KeyboardEvent): boolean {
  return event.repeat && !command.isRepeated;
}

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const OPEN_LAYER = "[role=dialog], [role=menu], [role=listbox]";
/** Controls that Enter or Space presses. */
const PRESSED = "a, button, summary, input, [role=button]";
/** Controls that use the arrow, page, home and end keys themselves. */
const MOVED_BY_ARROWS = "[role=slider], [role=tablist], [type=radio]";
const MOVING = /^(Arrow|Page|Home$|End$)/;

function isMeantForOthers(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(TYPING) || document.querySelector(OPEN_LAYER)) return true;
  const isPressedControl = (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey;
  if (isPressedControl && target?.closest(PRESSED)) return true;
  return MOVING.test(event.key) && Boolean(target?.closest(MOVED_BY_ARROWS));
}

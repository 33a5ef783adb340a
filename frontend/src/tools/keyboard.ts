import { useEffect, useEffectEvent } from "react";

import type { CommandContext } from "./command";
import { commandOfKey } from "./commands";

/** Runs commands by key while the component is shown, unless the reader types, uses a control, or a dialog is open. */
export function useCommandKeys(contextNow: () => CommandContext): void {
  const context = useEffectEvent(contextNow);

  useEffect(() => {
    const heldSince = new Map<string, number>();
    const stopping = new AbortController();
    const release = (key: string) => {
      const since = heldSince.get(key);
      if (since === undefined) return;
      heldSince.delete(key);
      commandOfKey(key)?.release?.(context(), performance.now() - since);
    };
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOfKey(event.key);
      if (!command || isMeantForOthers(event)) return;
      event.preventDefault();
      if (command.release && event.repeat) return;
      command.run(context());
      if (command.release) heldSince.set(event.key, performance.now());
    };
    // Before the viewport's own listeners, which take every key away from the page.
    window.addEventListener("keydown", onKeyDown, { signal: stopping.signal, capture: true });
    window.addEventListener("keyup", ({ key }) => release(key), { signal: stopping.signal });
    window.addEventListener("blur", () => [...heldSince.keys()].forEach(release), { signal: stopping.signal });
    return () => stopping.abort();
  }, []);
}

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const OPEN_LAYER = "[role=dialog], [role=menu], [role=listbox]";
/** Controls that use the arrow, page, home and end keys themselves. */
const MOVED_BY_ARROWS = "[role=slider], [role=tablist], [type=radio]";

function isMeantForOthers(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(TYPING) || document.querySelector(OPEN_LAYER)) return true;
  return event.key.length > 1 && event.key !== "Escape" && Boolean(target?.closest(MOVED_BY_ARROWS));
}

import { useLayoutEffect, useRef, type RefObject } from "react";

/** What can be told as a place; whoever sees nothing hears its name or its words. */
const PLACES = "tr, li, form, article, section, table, main";
const DIALOG = "[role=dialog]";

/** What last had the focus outside of dialogs: one that closes gives it back there, but some milliseconds later. */
let lastOutside: Element | null = null;
document.addEventListener("focusin", ({ target }) => {
  if (target instanceof Element && !target.closest(DIALOG)) lastOutside = target;
});

/**
 * An element that goes while the focus is on it or in it leaves it to the nearest part around it that stays, or to the page; Tab goes on
 * from there.
 */
export function useKeptPlace<Kind extends HTMLElement>(): RefObject<Kind | null> {
  const element = useRef<Kind>(null);
  useLayoutEffect(() => {
    const leaving = element.current;
    return () => {
      if (!leaving?.contains(isNowhere() ? lastOutside : document.activeElement)) return;
      const places = placesAround(leaving);
      queueMicrotask(() => moveInto(places));
    };
  }, []);
  return element;
}

function placesAround(leaving: HTMLElement): HTMLElement[] {
  const places: HTMLElement[] = [];
  for (let at = leaving.closest<HTMLElement>(PLACES); at; at = at.parentElement?.closest<HTMLElement>(PLACES) ?? null) places.push(at);
  // A dialog gives the focus back to what opened it, by itself.
  const page = leaving.closest(DIALOG) ? null : document.querySelector("main");
  return page ? [...places, page] : places;
}

/** The first of the places that is still there has the focus, unless something else took it. */
function moveInto(places: readonly HTMLElement[]): void {
  const place = places.find(({ isConnected }) => isConnected);
  if (!place || !isNowhere()) return;
  if (!place.hasAttribute("tabindex")) {
    place.tabIndex = -1;
    place.addEventListener("blur", () => place.removeAttribute("tabindex"), { once: true });
  }
  place.focus({ preventScroll: true });
}

function isNowhere(): boolean {
  return !document.activeElement || document.activeElement === document.body;
}

import { useEffect, useRef, type RefObject } from "react";
import { create } from "zustand";

/** Where a command leads the keyboard: to the next step of the review, or to a new comment. */
export type RoomTarget = "review_step" | "new_comment";

interface RoomFocus {
  readonly target: RoomTarget | null;
  lead(target: RoomTarget | null): void;
}

export const useRoomFocus = create<RoomFocus>()((set) => ({ target: null, lead: (target) => set({ target }) }));

/** The element takes the keyboard when a command leads there, also when it appears only then. */
export function useLedFocus<Kind extends HTMLElement>(target: RoomTarget): RefObject<Kind | null> {
  const element = useRef<Kind>(null);
  const isAsked = useRoomFocus((focus) => focus.target === target);
  useEffect(() => {
    if (!isAsked || !element.current) return;
    element.current.focus();
    useRoomFocus.getState().lead(null);
  }, [isAsked]);
  return element;
}

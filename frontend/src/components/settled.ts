import { createContext, startTransition, useEffect, useState } from "react";

import { onFirstSlice } from "../state/timing";

/** What surrounds the slices comes late at most by this, in ms, when no slice comes. */
const LONGEST_WAIT = 2000;

/** False while the page works on the first slice: until then, what surrounds it keeps its place and is drawn afterwards. */
export const Settled = createContext(true);

/** @param isAwaited slices are on their way */
export function useSettling(isAwaited: boolean): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const settle = () => startTransition(() => setSettled(true));
    if (!isAwaited) return settle();
    const waiting = setTimeout(settle, LONGEST_WAIT);
    const stop = onFirstSlice(settle);
    return () => {
      clearTimeout(waiting);
      stop();
    };
  }, [isAwaited]);
  return isSettled;
}

import { queryOptions } from "@tanstack/react-query";
import { create } from "zustand";

import { fetchAuthenticators, fetchSessions } from "../server/account";
import { queryClient } from "./queries";

export const authenticatorsQuery = queryOptions({ queryKey: ["account", "authenticators"], queryFn: fetchAuthenticators });

export const sessionsQuery = queryOptions({ queryKey: ["account", "sessions"], queryFn: fetchSessions });

interface NewCodes {
  readonly codes: readonly string[];
  readonly show: (codes: readonly string[]) => void;
}

/** Recovery codes that the server has shown and will not show again: they outlive a page that is drawn anew. */
export const useNewCodes = create<NewCodes>()((set) => ({ codes: [], show: (codes) => set({ codes }) }));

/** After a change; whether the other pages are open hangs on it too. */
export async function refreshAccount(): Promise<void> {
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: ["account"] }),
    queryClient.invalidateQueries({ queryKey: ["me"] }),
  ]);
}

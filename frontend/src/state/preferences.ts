import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { savePreferences } from "../server/queue";
import { useKeymap, type ChosenKeys } from "./keymap";
import { preferencesQuery, queryClient } from "./queries";

/** The keys that the server keeps for this reader run the commands from now on. */
export function useKeptKeys(): void {
  const preferences = useQuery(preferencesQuery);
  const keys = preferences.data?.keys;
  useEffect(() => {
    if (keys) useKeymap.getState().take(keys);
  }, [keys]);
}

/** Runs the commands by these keys at once and keeps them; where the server refuses, the ones before are back. */
export async function keepKeys(keys: ChosenKeys): Promise<void> {
  const before = useKeymap.getState().keys;
  useKeymap.getState().take(keys);
  try {
    const written = Object.fromEntries(Object.entries(keys).map(([command, chords]) => [command, [...chords]]));
    queryClient.setQueryData(preferencesQuery.queryKey, await savePreferences({ keys: written }));
  } catch (error) {
    useKeymap.getState().take(before);
    throw error;
  }
}

/** The next reader at this browser begins with the commands' own keys. */
export function forgetKeys(): void {
  useKeymap.getState().take({});
}

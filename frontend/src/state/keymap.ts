import { create } from "zustand";

/** Keys that a reader chose, by the id of the command; a command that is not named keeps its own. */
export type ChosenKeys = Readonly<Record<string, readonly string[]>>;

interface Keymap {
  readonly keys: ChosenKeys;
  /** Replaces all of it: what the server kept for this reader, or what was just chosen. */
  take(keys: ChosenKeys): void;
}

export const useKeymap = create<Keymap>()((set) => ({ keys: {}, take: (keys) => set({ keys }) }));

/** What has keys: a command, as far as its keys are concerned. */
interface Keyed {
  readonly id: string;
  readonly title: string;
  readonly keys: readonly string[];
}

/** Every chord that runs more than one command, with those commands in the order of the list. */
export function conflictsOf<Command extends Keyed>(commands: readonly Command[], chosen: ChosenKeys): ReadonlyMap<string, readonly Command[]> {
  const byKey = new Map<string, Command[]>();
  for (const command of commands) {
    for (const key of chosen[command.id] ?? command.keys) byKey.set(key, [...(byKey.get(key) ?? []), command]);
  }
  return new Map([...byKey].filter(([, uses]) => uses.length > 1));
}

/** The choice with other keys for one command; keys that are its own again are forgotten. */
export function withKeys(chosen: ChosenKeys, command: Keyed, keys: readonly string[]): ChosenKeys {
  const { [command.id]: _, ...others } = chosen;
  const isDefault = keys.length === command.keys.length && keys.every((key, index) => key === command.keys[index]);
  return isDefault ? others : { ...others, [command.id]: [...new Set(keys)] };
}

/** A key with the modifiers held: "Ctrl+Shift+z", "n", "ArrowUp", "?". */
type KeyPress = Pick<KeyboardEvent, "key"> & Partial<Pick<KeyboardEvent, "ctrlKey" | "metaKey" | "altKey" | "shiftKey">>;

const LETTER = /^\p{L}$/u;

/** Letters are small, whatever Caps Lock says; a sign that needs Shift is told without it; the Command key counts as Ctrl. */
export function chordOf({ key, ctrlKey = false, metaKey = false, altKey = false, shiftKey = false }: KeyPress): string {
  const isLetter = LETTER.test(key);
  const isShiftTold = shiftKey && (isLetter || key.length > 1 || key === " ");
  const modifiers = [(ctrlKey || metaKey) && "Ctrl+", altKey && "Alt+", isShiftTold && "Shift+"].filter(Boolean).join("");
  return modifiers + (isLetter ? key.toLowerCase() : key);
}

const MODIFIERS: ReadonlySet<string> = new Set(["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process"]);

/** False for a modifier alone, of which no chord is made. */
export function isWholeKey({ key }: Pick<KeyboardEvent, "key">): boolean {
  return !MODIFIERS.has(key);
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "Page ↑", PageDown: "Page ↓", Escape: "Esc", " ": "Space",
};

/** A chord as it stands on a keyboard: "Ctrl Shift Z", "Page ↑". */
export function chordText(chord: string): string {
  const [, modifiers = "", key = chord] = /^((?:Ctrl\+|Alt\+|Shift\+)*)(.+)$/su.exec(chord) ?? [];
  const name = KEY_NAMES[key] ?? (LETTER.test(key) ? key.toUpperCase() : key);
  return [...modifiers.split("+").filter(Boolean), name].join(" ");
}

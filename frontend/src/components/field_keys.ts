import type { KeyboardEvent } from "react";

/** In a field of several lines: Escape gives the keyboard back to the slices, Ctrl and Enter press its button. */
export function leaveOrSend(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === "Escape") event.currentTarget.blur();
  else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.querySelector<HTMLButtonElement>("button[type=submit]")?.click();
}

import type { KeyboardEvent } from "react";

/** In a field of several lines: Escape gives the keyboard back to the slices, Ctrl and Enter send the form. */
export function leaveOrSend(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === "Escape") event.currentTarget.blur();
  else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}

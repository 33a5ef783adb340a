import { useEffect, useRef, type RefObject } from "react";

/** A form whose first refused field takes the focus, and comes into sight, once the server has refused it. */
export function useRefusedField(error: Error | null): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid='true']")?.focus();
  }, [error]);
  return form;
}

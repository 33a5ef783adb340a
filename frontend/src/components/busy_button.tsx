import { Button, Loader, type ButtonProps } from "@mantine/core";
import { useMergedRef } from "@mantine/hooks";
import type { MouseEvent, Ref } from "react";

import styles from "./busy_button.module.css";
import { useKeptPlace } from "./kept_place";

interface BusyButtonProps extends Omit<ButtonProps, "loading"> {
  readonly isBusy?: boolean;
  readonly type?: "button" | "submit";
  readonly autoFocus?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
  onClick?(event: MouseEvent<HTMLButtonElement>): void;
}

/**
 * A button that never drops the keyboard: it turns while its work goes on, and takes no press then or while it is disabled,
 * but keeps the focus, which a button disabled by the browser loses; one that goes leaves the focus to its place.
 */
export function BusyButton({ isBusy = false, disabled = false, onClick, ref, className, children, ...others }: BusyButtonProps) {
  const place = useKeptPlace<HTMLButtonElement>();
  const isOff = isBusy || disabled;
  const press = (event: MouseEvent<HTMLButtonElement>) => {
    // Also keeps a submit button, and Enter in its form's fields, from sending the form.
    if (isOff) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <Button
      {...others} ref={useMergedRef(place, ref ?? null)} className={className ? `${styles.button} ${className}` : styles.button} onClick={press}
      aria-disabled={isOff || undefined} data-busy={isBusy || undefined} data-disabled={(disabled && !isBusy) || undefined}
    >
      {children}
      {isBusy && <Loader className={styles.turning} size={14} color="var(--button-color)" />}
    </Button>
  );
}

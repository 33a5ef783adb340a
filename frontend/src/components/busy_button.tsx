import { Button, Loader, type ButtonProps } from "@mantine/core";
import type { MouseEvent } from "react";

interface BusyButtonProps extends Omit<ButtonProps, "loading" | "disabled"> {
  readonly isBusy: boolean;
  readonly type?: "button" | "submit";
  onClick?(): void;
}

/** A button that turns while its work goes on and takes no other press, and keeps the focus: a disabled one loses it. */
export function BusyButton({ isBusy, leftSection, onClick, ...others }: BusyButtonProps) {
  const press = (event: MouseEvent) => {
    if (isBusy) event.preventDefault();
    else onClick?.();
  };
  return <Button {...others} aria-disabled={isBusy || undefined} leftSection={isBusy ? <Loader size={14} color="currentColor" /> : leftSection} onClick={press} />;
}

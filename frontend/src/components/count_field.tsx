import { NumberInput } from "@mantine/core";

interface CountFieldProps {
  readonly label: string;
  readonly min: number;
  /** Null while none is typed. */
  readonly value: number | null;
  onChange(value: number | null): void;
}

/** A whole number as it is typed: nothing else is kept than what is shown, and one that is too small is said to be so. */
export function CountField({ label, min, value, onChange }: CountFieldProps) {
  return (
    <NumberInput
      size="xs" label={label} min={min} clampBehavior="none" allowDecimal={false} allowNegative={false} value={value ?? ""}
      error={isCount(value, min) ? undefined : `At least ${min}`} onChange={(typed) => onChange(typeof typed === "number" ? typed : null)}
    />
  );
}

export function isCount(value: number | null, min: number): value is number {
  return value !== null && value >= min;
}

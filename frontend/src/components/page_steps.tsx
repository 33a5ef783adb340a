import { Pagination } from "@mantine/core";

const CONTROL_NAMES = { first: "First page", previous: "Previous page", next: "Next page", last: "Last page" } as const;

type Control = keyof typeof CONTROL_NAMES;

/** Leads nowhere, and keeps the focus of whoever stepped there by a key. */
const OFF = { disabled: false, "aria-disabled": true, mod: { disabled: true } } as const;

interface PageStepsProps {
  readonly count: number;
  readonly pageSize: number;
  readonly page: number;
  onChange(page: number): void;
}

/** Steps through the pages of a list; nothing for a list of one page. */
export function PageSteps({ count, pageSize, page, onChange }: PageStepsProps) {
  const pageCount = Math.ceil(count / pageSize);
  if (pageCount < 2) return null;
  const isAtEnd = (control: Control) => page === (control === "next" || control === "last" ? pageCount : 1);
  return (
    <Pagination
      size="sm" total={pageCount} value={page} onChange={onChange}
      getControlProps={(control) => ({ "aria-label": CONTROL_NAMES[control], ...(isAtEnd(control) ? OFF : {}) })}
      getItemProps={(item) => ({ "aria-label": `Page ${item}` })}
    />
  );
}

import { Pagination } from "@mantine/core";

const CONTROL_NAMES = { first: "First page", previous: "Previous page", next: "Next page", last: "Last page" } as const;

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
  return (
    <Pagination
      size="sm" total={pageCount} value={page} onChange={onChange}
      getControlProps={(control) => ({ "aria-label": CONTROL_NAMES[control] })}
      getItemProps={(item) => ({ "aria-label": `Page ${item}` })}
    />
  );
}

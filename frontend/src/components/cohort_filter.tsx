import { NativeSelect, TextInput } from "@mantine/core";

import type { CohortPart, CohortQuery } from "../server/cohort";
import type { Me } from "../server/types";
import styles from "./cohort_filter.module.css";
import { scannerText } from "./scanner_text";

interface CohortFilterProps {
  readonly me: Me;
  readonly scanners: readonly Pick<CohortPart, "manufacturer" | "scanner_model">[];
  readonly query: CohortQuery;
  readonly onChange: (query: CohortQuery) => void;
}

const EVERY = "every";

/** Site, scanner and days of the studies that count. */
export function CohortFilter({ me, scanners, query, onChange }: CohortFilterProps) {
  const chosen = scanners.findIndex(({ manufacturer, scanner_model }) => manufacturer === query.manufacturer && scanner_model === query.scanner_model);
  const chooseScanner = (value: string) => {
    const { manufacturer: _manufacturer, scanner_model: _model, ...others } = query;
    const scanner = scanners[Number(value)];
    onChange(value === EVERY || !scanner ? others : { ...others, manufacturer: scanner.manufacturer, scanner_model: scanner.scanner_model });
  };
  const set = (name: "site" | "since" | "until", value: string) => {
    const { [name]: _old, ...others } = query;
    onChange(value ? { ...others, [name]: value } : others);
  };
  return (
    <div className={styles.filters}>
      <NativeSelect
        size="xs" label="Site" value={query.site ?? ""} onChange={(event) => set("site", event.currentTarget.value)}
        data={[{ value: "", label: "Every site" }, ...me.sites.map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <NativeSelect
        size="xs" label="Scanner" value={chosen < 0 ? EVERY : String(chosen)} onChange={(event) => chooseScanner(event.currentTarget.value)}
        data={[{ value: EVERY, label: "Every scanner" }, ...scanners.map((scanner, index) => ({ value: String(index), label: scannerText(scanner) }))]}
      />
      <TextInput size="xs" type="date" label="Studies from" value={query.since ?? ""} onChange={(event) => set("since", event.currentTarget.value)} />
      <TextInput size="xs" type="date" label="to" value={query.until ?? ""} onChange={(event) => set("until", event.currentTarget.value)} />
    </div>
  );
}

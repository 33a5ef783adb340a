import { Checkbox, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { requestSnapshot, type WantedSnapshot } from "../server/training";
import type { Me } from "../server/types";
import { queryClient } from "../state/queries";
import { snapshotsQuery } from "../state/training";
import { BusyButton } from "./busy_button";
import { Problem } from "./problem";
import styles from "./run_dialog.module.css";
import { SOURCES, type Source } from "./snapshot_rules";

interface Wish {
  readonly site: string;
  readonly from: string;
  readonly until: string;
  readonly scanners: string;
  readonly reviews: string;
  readonly needsQuality: boolean;
  readonly sources: readonly Source[];
}

/** Whatever is approved, as the server takes it when it is told nothing. */
const USUAL: Wish = { site: "", from: "", until: "", scanners: "", reviews: "0", needsQuality: false, sources: SOURCES.map(({ value }) => value) };

const REVIEWS = [
  { value: "0", label: "Any, imports too" },
  { value: "1", label: "One person" },
  { value: "2", label: "Two people" },
];

interface SnapshotDialogProps {
  readonly me: Me;
  readonly isOpen: boolean;
  onClose(): void;
}

/** Which approved versions are frozen; what does not pass is left out with the reason. */
export function SnapshotDialog({ me, isOpen, onClose }: SnapshotDialogProps) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Freeze approved versions" size={620} closeOnClickOutside={false} transitionProps={{ duration: 0 }}>
      <SnapshotForm me={me} onDone={onClose} />
    </Modal>
  );
}

function SnapshotForm({ me, onDone }: { me: Me; onDone: () => void }) {
  const [wish, setWish] = useState(USUAL);
  const asking = useMutation({
    mutationFn: () => requestSnapshot(wantedBy(wish)),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: snapshotsQuery.queryKey }),
  });
  const text = (label: string, field: "from" | "until" | "scanners", type = "text", description?: string) => (
    <TextInput
      size="xs" label={label} type={type} description={description} value={wish[field]}
      onChange={(event) => setWish({ ...wish, [field]: event.currentTarget.value })}
    />
  );
  return (
    <form
      className={styles.form} aria-label="Rules of the dataset" data-testid="snapshot-form"
      onSubmit={(event) => {
        event.preventDefault();
        asking.mutate(undefined, { onSuccess: onDone });
      }}
    >
      <div className={styles.fields}>
        <NativeSelect
          size="xs" label="Site" value={wish.site} onChange={(event) => setWish({ ...wish, site: event.currentTarget.value })}
          data={[{ value: "", label: "Every site" }, ...me.sites.map(({ id, name }) => ({ value: id, label: name }))]}
        />
        {text("Studies from", "from", "date")}
        {text("to", "until", "date")}
        <NativeSelect
          size="xs" label="Who stands behind a version" value={wish.reviews} data={REVIEWS}
          onChange={(event) => setWish({ ...wish, reviews: event.currentTarget.value })}
        />
      </div>
      {text("Scanners", "scanners", "text", "Parts of their names (manufacturer, model, field strength) with commas between; empty is every scanner.")}
      <Checkbox
        size="xs" label="Only where coverage, noise and ghosting of the FLAIR were measured and none was objected to" checked={wish.needsQuality}
        onChange={(event) => setWish({ ...wish, needsQuality: event.currentTarget.checked })}
      />
      <Checkbox.Group
        size="xs" label="A lesion's class is learned from where it rests on" description="Other lesions are plaques without class."
        value={[...wish.sources]} onChange={(sources) => setWish({ ...wish, sources: sources as Source[] })}
      >
        {SOURCES.map(({ value, label }) => <Checkbox key={value} size="xs" mt={6} value={value} label={label} />)}
      </Checkbox.Group>
      {asking.isError && <Problem error={asking.error} />}
      <BusyButton type="submit" w="fit-content" isBusy={asking.isPending} data-testid="freeze">Freeze</BusyButton>
    </form>
  );
}

function wantedBy({ site, from, until, scanners, reviews, needsQuality, sources }: Wish): WantedSnapshot {
  return {
    sites: site ? [site] : [],
    rules: {
      studied_from: from || null,
      studied_until: until || null,
      scanners: scanners.split(",").map((name) => name.trim()).filter(Boolean),
      minimum_reviews: Number(reviews),
      needs_quality: needsQuality,
      trusted_sources: [...sources],
    },
  };
}

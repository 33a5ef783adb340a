import { NumberInput, TextInput } from "@mantine/core";

import styles from "./node_form.module.css";
import type { NodeFieldsProps } from "./node_setup";

/** The rule by which a node is asked for the priors of each new study. */
export function NodePriors({ setup, errors, change }: NodeFieldsProps) {
  const { prior_count, prior_years, prior_words } = setup;
  return (
    <>
      <div className={styles.pair}>
        <NumberInput
          size="xs" label="Priors fetched for a new study" description="The newest MR studies of the patient; 0 fetches none."
          min={0} max={20} allowDecimal={false} value={prior_count} error={errors["prior_count"]} onChange={(count) => change({ prior_count: Number(count) })}
        />
        <NumberInput
          size="xs" label="Of the last years" description="Before the study's date; 0 is any age." disabled={prior_count === 0}
          min={0} max={99} allowDecimal={false} value={prior_years} error={errors["prior_years"]} onChange={(years) => change({ prior_years: Number(years) })}
        />
      </div>
      <TextInput
        size="xs" label="Words of a head study" maxLength={300} value={prior_words} error={errors["prior_words"]} disabled={prior_count === 0}
        description="A prior's description has one of them, or is empty. Parted by commas; with none, every MR study counts."
        onChange={(event) => change({ prior_words: event.currentTarget.value })}
      />
    </>
  );
}

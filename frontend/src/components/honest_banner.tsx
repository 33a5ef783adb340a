import { Tooltip } from "@mantine/core";

import type { StudyDetail } from "../server/types";
import styles from "./honest_banner.module.css";
import { Icon } from "./icons";

const SHORT_HASH_LENGTH = 8;

type Shown = Pick<NonNullable<StudyDetail["annotation"]>, "author" | "model" | "state" | "version" | "warnings">;

const PREDICTED = "AI-predicted, FLAIR only";

/** What the marks are: a reader's version too holds marks that no reader spoke about. */
function claimOf(annotation: Shown | null): string {
  if (!annotation?.author) return PREDICTED;
  return `Version ${annotation.version} by ${annotation.author}, ${annotation.state}; what no reader spoke about is ${PREDICTED}`;
}

/** What the marks are and what made them; it has no button that closes it. */
export function HonestBanner({ annotation }: { annotation: Shown | null }) {
  const { model = null, warnings = [] } = annotation ?? {};
  return (
    <div className={styles.banner} data-testid="banner">
      <Icon name="info" size={15} />
      <span className={styles.claim}>
        <strong>{claimOf(annotation)}</strong>
        {" — research use only, not a medical device"}
      </span>
      {warnings.length > 0 && (
        <Tooltip label={warnings.join(" ")}>
          <span className={styles.warnings} tabIndex={0}>{warnings[0]}</span>
        </Tooltip>
      )}
      {model && (
        <Tooltip label={`${model.name} ${model.version}, SHA-256 ${model.sha256}`}>
          <span className={styles.model} tabIndex={0} data-testid="model-identity">
            {`${model.name} ${model.version} · ${model.sha256.slice(0, SHORT_HASH_LENGTH)}`}
          </span>
        </Tooltip>
      )}
    </div>
  );
}

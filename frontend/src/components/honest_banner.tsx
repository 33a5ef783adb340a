import { Tooltip } from "@mantine/core";

import type { ModelReference } from "../server/types";
import styles from "./honest_banner.module.css";
import { Icon } from "./icons";

const SHORT_HASH_LENGTH = 8;

interface HonestBannerProps {
  readonly model: ModelReference | null;
  readonly warnings: readonly string[];
}

/** What the marks are and what made them; it has no button that closes it. */
export function HonestBanner({ model, warnings }: HonestBannerProps) {
  return (
    <div className={styles.banner} data-testid="banner">
      <Icon name="info" size={15} />
      <span className={styles.claim}>
        <strong>AI-predicted, FLAIR only</strong>
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

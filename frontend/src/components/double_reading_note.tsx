import { Button } from "@mantine/core";

import type { DoubleReading } from "../server/double_readings";
import { Notice } from "./problem";

interface DoubleReadingNoteProps {
  readonly reading: DoubleReading;
  readonly reader: string;
  onCompare(before: string, after: string): void;
}

/** What a double reading asks of whoever looks at its study. */
export function DoubleReadingNote({ reading, reader, onCompare }: DoubleReadingNoteProps) {
  if (reading.state === "done") return null;
  const own = reading.readings.find((one) => one.reader === reader);
  if (own) return <Notice tone="quiet" icon="info" title="You read this study blinded"><p>{own.is_submitted ? SUBMITTED : READING}</p></Notice>;
  const [first, second] = reading.readings.map(({ annotation }) => annotation);
  const isDeciding = reading.state === "adjudication" && reading.adjudicator === reader;
  if (!isDeciding || !first || !second) {
    return <Notice tone="quiet" icon="info" title="This study is read twice"><p>It waits for its two readers and for {reading.adjudicator}, who decides.</p></Notice>;
  }
  return (
    <Notice tone="caution" icon="info" title="You decide between two readings">
      <p>{`${reading.readers.join(" and ")} have submitted. Compare them, restore the better one, correct it, and submit.`}</p>
      <Button variant="default" size="compact-sm" onClick={() => onCompare(first, second)} data-testid="compare-readings">Compare both readings</Button>
    </Notice>
  );
}

const READING = "The other reader sees nothing of what you do, and you see nothing of theirs.";
const SUBMITTED = "You have submitted. The adjudicator decides once both readings are there.";

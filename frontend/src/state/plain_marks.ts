import { advise } from "./advice";
import { useComparison } from "./comparison";
import { usePanes } from "./panes";

/** What is corrected is what the slices show: a painting that stands in its place, of stored versions, is put away. */
export function showPlainMarks(): void {
  const { isChangeView, changes, showChanges } = usePanes.getState();
  const { after, stop } = useComparison.getState();
  if (isChangeView) showChanges(false);
  if (after !== null) stop();
  if (after !== null) advise("The comparison of versions is put away, so that the slices show what you correct.");
  else if (isChangeView && changes) advise("The changes since the prior are put away, so that the slices show what you correct.");
}

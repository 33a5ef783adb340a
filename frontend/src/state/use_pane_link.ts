import { useEffect, useMemo } from "react";

import type { Grid } from "../geometry/registration";
import type { Registration } from "../server/longitudinal";
import { linkFor, type PaneLink } from "./pane_link";
import { paneStore, usePanes, type PaneId } from "./panes";
import { readNow } from "./reading";

/** The link of a pane with the study's own, kept while the component is shown. */
export function usePaneLink(pane: Exclude<PaneId, "current">, registration: Registration | null, from: Grid, to: Grid): PaneLink {
  const mode = usePanes((panes) => panes.linkMode);
  const link = useMemo(() => {
    const offset = paneStore(pane).getState().sliceIndex - readNow().sliceIndex;
    return linkFor(mode, registration, from, to, offset);
  }, [pane, mode, registration, from, to]);
  useEffect(() => {
    usePanes.getState().link(pane, link.matrix);
    return () => usePanes.getState().link(pane, null);
  }, [pane, link]);
  return link;
}

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import type { Series, StudyDetail } from "../server/types";
import { usePanes } from "../state/panes";
import { attributesQuery, slicesQuery } from "../state/queries";
import styles from "./series_thumbnail.module.css";

/** The middle slice of a series, fetched once the slices that are read are all here; empty for a series that makes no volume. */
export function SeriesThumbnail({ study, series }: { study: StudyDetail; series: Series }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isTurn = usePanes((panes) => panes.areSlicesHere);
  const slices = useQuery({ ...slicesQuery(series.id), enabled: isTurn }).data;
  const address = { study_instance_uid: study.study_instance_uid, series_instance_uid: series.series_instance_uid };
  const attributes = useQuery({ ...attributesQuery(address), enabled: slices !== undefined }).data;
  useEffect(() => {
    if (!slices || !attributes) return;
    void import("../viewport/thumbnail").then(({ drawSeries }) => canvas.current && drawSeries(canvas.current, slices, attributes));
  }, [slices, attributes]);
  return <canvas ref={canvas} className={styles.thumbnail} width={88} height={88} data-testid="series-thumbnail" aria-hidden />;
}

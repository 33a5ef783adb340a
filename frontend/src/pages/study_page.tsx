import { useEffect, useState } from "react";
import { useParams } from "react-router";

import { dateText } from "../components/formats";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { StageLoader } from "../components/reading_panes";
import { ProblemError } from "../server/problem";
import type { Me } from "../server/types";
import { useComparison } from "../state/comparison";
import { useLiveStudy } from "../state/live";
import { useStudyReading } from "../state/study_reading";
import { resetTiming } from "../state/timing";
import { NotFoundPage } from "./not_found_page";
import styles from "./study_page.module.css";
import { StudyRoom } from "./study_room";

const NOT_FOUND = 404;

export function StudyPage({ me }: { me: Me }) {
  const { id = "" } = useParams();
  return <ReadingRoom key={id} id={id} me={me} />;
}

function ReadingRoom({ id, me }: { id: string; me: Me }) {
  useLiveStudy(id);
  const [chosenSeries, chooseSeries] = useState<string | null>(null);
  const reading = useStudyReading(id, chosenSeries);
  const { study } = reading;
  usePageTitle(study.data ? `Study of ${dateText(study.data.study_date)}` : "Study");
  useEffect(() => {
    resetTiming();
    return () => useComparison.getState().stop();
  }, []);

  if (study.error instanceof ProblemError && study.error.status === NOT_FOUND) return <NotFoundPage what="This study" />;
  if (study.isError && !study.data) {
    return <div className={styles.problem}><Problem error={study.error} onRetry={() => void study.refetch()} /></div>;
  }
  if (!study.data) return <StageLoader />;
  return <StudyRoom study={study.data} reading={reading} me={me} onShowSeries={chooseSeries} />;
}

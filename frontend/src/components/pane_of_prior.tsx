import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { point3 } from "../geometry/affine";
import type { Grid } from "../geometry/registration";
import type { Registration } from "../server/longitudinal";
import type { Lesion, SliceStack, StudyDetail } from "../server/types";
import { shownPrior, type ChangePaintings } from "../state/change_view";
import { useLesionMark } from "../state/lesion_marks";
import { useRegistration } from "../state/longitudinal";
import { linkText } from "../state/pane_link";
import { usePanes } from "../state/panes";
import { protocolQuery } from "../state/queries";
import { useStudyReading, type StudyReading } from "../state/study_reading";
import { usePaneLink } from "../state/use_pane_link";
import { CHANGE_PAINT } from "../viewport/change_paint";
import { firstSliceOf } from "../viewport/pane_links";
import { MarksNote } from "./marks_note";
import { Pane, StageLoader } from "./pane";
import { PaneHeader } from "./pane_header";
import { cautionsOf } from "./protocol_texts";
import styles from "./reading_panes.module.css";

interface OtherPaneProps {
  readonly study: StudyDetail;
  /** Of the study's own pane. */
  readonly slices: SliceStack;
  /** True until every slice of the study is here: the prior waits for its turn. */
  readonly isWaiting: boolean;
  readonly paintings: ChangePaintings | null;
  /** Numbers of the prior's lesions that the reader looks at: the predecessors of what is selected. */
  readonly chosenLesions: readonly number[];
}

/** The prior beside the study, with its own annotation, at the same place in the patient. */
export function PriorPane({ isWaiting, ...props }: OtherPaneProps) {
  const { study } = props;
  const chosen = usePanes((panes) => panes.chosenPrior);
  const prior = shownPrior(study.priors, chosen);
  if (!prior) return null;
  if (isWaiting) return <EmptyPane study={study} prior={prior} />;
  return <LoadedPrior key={prior.id} prior={prior} {...props} />;
}

type Prior = StudyDetail["priors"][number];

function EmptyPane({ study, prior, problem }: { study: StudyDetail; prior: Prior; problem?: string }) {
  return (
    <section className={styles.empty} aria-label="Prior study">
      <PaneHeader title="Prior" date={prior.study_date} description="" priors={study.priors} />
      {problem ? <p className={styles.problem} role="alert">{problem}</p> : <StageLoader />}
    </section>
  );
}

interface LoadedPriorProps extends Omit<OtherPaneProps, "isWaiting"> {
  readonly prior: Prior;
}

function LoadedPrior(props: LoadedPriorProps) {
  const { study, prior } = props;
  const reading = useStudyReading(prior.id, null);
  const registration = useRegistration(study.id, prior.id);
  const error = reading.study.error ?? reading.slices.error ?? reading.attributes.error;
  if (error) return <EmptyPane study={study} prior={prior} problem={error.message} />;
  if (reading.study.data && !reading.shownSeries) return <EmptyPane study={study} prior={prior} problem="The prior has no FLAIR that could be read." />;
  if (!reading.slices.data || !reading.attributes.data || reading.startSlice === null || registration === undefined) {
    return <EmptyPane study={study} prior={prior} />;
  }
  return <PriorStack {...props} reading={reading} priorSlices={reading.slices.data} registration={registration} />;
}

interface PriorStackProps extends LoadedPriorProps {
  readonly reading: StudyReading;
  readonly priorSlices: SliceStack;
  readonly registration: Registration | null;
}

function PriorStack({ study, slices, prior, reading, priorSlices, registration, paintings, chosenLesions }: PriorStackProps) {
  const [from, to] = [useGrid(slices), useGrid(priorSlices)];
  const link = usePaneLink("prior", registration, from, to);
  const [startSlice] = useState(() => firstSliceOf(to, link.matrix) ?? reading.startSlice ?? 0);
  const [problem, setProblem] = useState<Error | null>(null);
  const mark = useLesionMark(reading.labels, reading.lesions ?? NONE, chosenLesions, priorSlices.affine);
  const painting = useMemo(() => (paintings && reading.labels ? { labels: paintings.prior, styles: CHANGE_PAINT } : null), [paintings, reading.labels]);
  const protocol = useQuery(protocolQuery(study.id, prior.id)).data;
  const description = reading.study.data?.series.find(({ id }) => id === reading.shownSeries)?.series_description ?? "";
  if (problem || !reading.attributes.data) return <EmptyPane study={study} prior={prior} problem={problem?.message ?? ""} />;
  const header = (
    <>
      <PaneHeader
        title="Prior" date={prior.study_date} description={description} link={linkText(link.kind, registration)} priors={study.priors}
        cautions={cautionsOf(protocol?.comparison ?? null)}
      />
      <MarksNote of="the prior" reading={reading} />
    </>
  );
  return (
    <Pane
      pane="prior" header={header} slices={priorSlices} attributes={reading.attributes.data} startSlice={startSlice}
      labels={reading.labels} painting={painting} brain={reading.brain} mark={mark} onStack={ignore} onAllSlices={ignore} onError={setProblem}
    />
  );
}

const NONE: readonly Lesion[] = [];

const ignore = () => undefined;

export function useGrid(slices: SliceStack): Grid {
  return useMemo(() => ({ affine: slices.affine, shape: point3(slices.shape) }), [slices]);
}

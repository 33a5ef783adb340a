import { middleSlice, sliceWithMostLesions } from "../geometry/slice_order";
import { askFrameAhead, frameUrls } from "../server/dicomweb";
import type { Annotation, SliceStack, StudyDetail } from "../server/types";
import { annotationQuery, attributesQuery, lesionsQuery, maskQuery, meQuery, queryClient, slicesQuery, studyQuery } from "./queries";

/** The series that a study opens with: the one that was read, else the one that would be. */
export function firstSeriesOf(study: StudyDetail): string | null {
  return study.annotation?.series ?? study.flair_series;
}

/** @param annotation undefined where no lesions are known */
export function startSliceOf(slices: SliceStack, annotation: Annotation | undefined): number {
  const count = slices.slices.length;
  return annotation ? sliceWithMostLesions(annotation.counts_by_slice, count) : middleSlice(count);
}

/** Asks for everything that the first slice of a study waits for, while the page that draws it is still on its way. */
export async function askFirstView(studyId: string): Promise<void> {
  void queryClient.prefetchQuery(meQuery);
  const study = await queryClient.fetchQuery(studyQuery(studyId));
  const shown = study.series.find(({ id }) => id === firstSeriesOf(study));
  if (!shown) return;
  const { annotation, study_instance_uid } = study;
  void queryClient.prefetchQuery(attributesQuery({ study_instance_uid, series_instance_uid: shown.series_instance_uid }));
  const [slices, version] = await Promise.all([
    queryClient.fetchQuery(slicesQuery(shown.id)),
    annotation ? queryClient.fetchQuery(annotationQuery(annotation.id)) : undefined,
  ]);
  const url = frameUrls(slices)[startSliceOf(slices, version)];
  if (url) askFrameAhead(url);
  if (!annotation) return;
  void queryClient.prefetchQuery(maskQuery(annotation.id));
  void queryClient.prefetchQuery(lesionsQuery(annotation.id));
}

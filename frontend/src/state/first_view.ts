import { centreOut, middleSlice, sliceWithMostLesions } from "../geometry/slice_order";
import { askFrameAhead, frameUrls } from "../server/dicomweb";
import type { Annotation, SliceStack, StudyDetail } from "../server/types";
import { annotationQuery, attributesQuery, lesionsQuery, maskQuery, meQuery, queryClient, slicesQuery, studyQuery } from "./queries";

/** Of a series with more slices than that the page asks for the rest, so that a reader who jumps far waits for few of them. */
const MOST_AHEAD = 64;

/** The series that a study opens with: the one that was read, else the one that would be. */
export function firstSeriesOf(study: StudyDetail): string | null {
  return study.annotation?.series ?? study.flair_series;
}

/** @param annotation undefined where no lesions are known */
export function startSliceOf(slices: SliceStack, annotation: Annotation | undefined): number {
  const count = slices.slices.length;
  return annotation ? sliceWithMostLesions(annotation.counts_by_slice, count) : middleSlice(count);
}

/**
 * Asks for everything that the first slice of a study waits for, while the page that draws it is still on its way, and for
 * the slices around it once nothing that the first one waits for is left to fetch.
 * @param viewer is there when the scripts that draw are
 */
export async function askFirstView(studyId: string, viewer: Promise<unknown>): Promise<void> {
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
  const urls = frameUrls(slices);
  const nearest = centreOut(urls.length, startSliceOf(slices, version)).slice(0, MOST_AHEAD);
  const [first, ...others] = nearest.flatMap((index) => urls[index] ?? []);
  const isFirstHere = first && askFrameAhead(first, "high");
  if (annotation) {
    void queryClient.prefetchQuery(maskQuery(annotation.id));
    void queryClient.prefetchQuery(lesionsQuery(annotation.id));
  }
  await Promise.all([isFirstHere, viewer]);
  await Promise.all(others.map((url) => askFrameAhead(url, "low")));
}

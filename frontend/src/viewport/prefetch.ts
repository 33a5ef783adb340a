import { Enums, imageLoader } from "@cornerstonejs/core";

/** Browsers open six connections to a server under HTTP/1.1; two stay free for the slice that the reader asks for. */
const PARALLEL_REQUESTS = 4;

/** Every slice is in the cache once this resolves; resolves early when stopped. A slice that fails is left to be shown. */
export async function prefetch(imageIds: readonly string[], signal: AbortSignal): Promise<void> {
  const waiting = imageIds.values();
  const lanes = Array.from({ length: PARALLEL_REQUESTS }, async () => {
    for (const imageId of waiting) {
      if (signal.aborted) return;
      const options = { requestType: Enums.RequestType.Prefetch, priority: 5 };
      // oxlint-disable-next-line no-await-in-loop -- a lane takes the next slice when it has the one before
      await imageLoader.loadAndCacheImage(imageId, options).catch(() => null);
    }
  });
  await Promise.all(lanes);
}

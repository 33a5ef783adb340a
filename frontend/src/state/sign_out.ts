import { useNewCodes } from "./account";
import { feed } from "./live";
import { forgetKeys } from "./preferences";
import { queryClient } from "./queries";
import { useUploading } from "./uploading";

/** Nothing of who was signed in is left for who signs in next: the page is not loaded anew between them. */
export function forgetReader(): void {
  feed.close();
  queryClient.clear();
  forgetKeys();
  useNewCodes.getState().show([]);
  useUploading.getState().forget();
}

import type { ReviewStep, Version } from "../server/review";

/** Where a version stands in the review, in words. */
export const VERSION_STATES: Readonly<Record<Version["state"], string>> = {
  predicted: "prediction", submitted: "submitted", approved: "approved", returned: "returned",
};

export const STEP_TEXTS: Readonly<Record<ReviewStep["step"], string>> = {
  submitted: "submitted for review", approved: "approved", returned: "returned for correction",
};

/** A reader, or the model that predicted it. */
export function authorText({ author, model }: Pick<Version, "author" | "model">): string {
  return author ?? (model ? `${model.name} ${model.version}` : "unknown");
}

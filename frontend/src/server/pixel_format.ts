import { PixelError, type PixelFormat } from "../geometry/pixels";

/** One instance's attributes in the DICOM JSON model: tag (eight hex digits) to value. Source: DICOM PS3.18 F.2. */
export type DicomJson = { readonly [tag: string]: { vr: string; Value?: unknown[] } };

const TAGS = {
  rows: "00280010",
  columns: "00280011",
  samplesPerPixel: "00280002",
  photometricInterpretation: "00280004",
  bitsAllocated: "00280100",
  bitsStored: "00280101",
  pixelRepresentation: "00280103",
  rescaleIntercept: "00281052",
  rescaleSlope: "00281053",
  sharedGroups: "52009229",
  perFrameGroups: "52009230",
  pixelValueTransformation: "00289145",
} as const;

/** Throws a PixelError for pixels that are not 8 or 16 bits of gray. */
export function pixelFormatOf(attributes: DicomJson, frame: number): PixelFormat {
  const bitsAllocated = numberAt(attributes, TAGS.bitsAllocated);
  const photometric = String(attributes[TAGS.photometricInterpretation]?.Value?.[0] ?? "");
  if ((bitsAllocated !== 8 && bitsAllocated !== 16) || numberAt(attributes, TAGS.samplesPerPixel, 1) !== 1) {
    throw new PixelError(`Pixels are ${photometric || "unknown"} with ${bitsAllocated} bits; the viewer draws gray of 8 or 16 bits.`);
  }
  const rescale = rescaleOf(attributes, frame);
  return {
    rows: numberAt(attributes, TAGS.rows),
    columns: numberAt(attributes, TAGS.columns),
    bitsAllocated,
    bitsStored: numberAt(attributes, TAGS.bitsStored, bitsAllocated),
    isSigned: numberAt(attributes, TAGS.pixelRepresentation, 0) === 1,
    slope: numberAt(rescale, TAGS.rescaleSlope, 1),
    intercept: numberAt(rescale, TAGS.rescaleIntercept, 0),
    isInverted: photometric === "MONOCHROME1",
  };
}

/** Where the rescale stands: of the frame, of all frames, or of the instance. Source: DICOM PS3.3 C.7.6.16.2.9. */
function rescaleOf(attributes: DicomJson, frame: number): DicomJson {
  const perFrame = itemAt(itemAt(attributes, TAGS.perFrameGroups, frame - 1), TAGS.pixelValueTransformation);
  const shared = itemAt(itemAt(attributes, TAGS.sharedGroups), TAGS.pixelValueTransformation);
  return perFrame ?? shared ?? attributes;
}

function itemAt(attributes: DicomJson | undefined, tag: string, index = 0): DicomJson | undefined {
  return attributes?.[tag]?.Value?.[index] as DicomJson | undefined;
}

function numberAt(attributes: DicomJson, tag: string, otherwise?: number): number {
  const found = attributes[tag]?.Value?.[0] ?? otherwise;
  const value = Number(found);
  if (found === undefined || !Number.isFinite(value)) throw new PixelError(`DICOM attribute ${tag} is ${String(found)}, it needs a number.`);
  return value;
}

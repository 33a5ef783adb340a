import { Enums, metaData, registerImageLoader, utilities, type Types } from "@cornerstonejs/core";

import { length, point3, toWorld, toWorldDirection, type Point3 } from "../geometry/affine";
import { extremes, rescaled, storedPixelsOf, type PixelFormat } from "../geometry/pixels";
import { fetchFrame, frameUrls } from "../server/dicomweb";
import { pixelFormatOf, type DicomJson } from "../server/pixel_format";
import type { SliceStack } from "../server/types";

/**
 * WADO-RS frames for Cornerstone. The server sends every frame uncompressed, so what is left of Cornerstone's own DICOM
 * loader is a typed array and the rescale: without it the page needs no decoders, no WebAssembly and 400 kB less.
 */
const SCHEME = "plaqueview";

interface SliceSource {
  readonly url: string;
  readonly format: PixelFormat;
  readonly plane: object;
}

const sources = new Map<string, SliceSource>();

/** Makes the loader and the attributes of its slices known to Cornerstone; once. */
export function registerFrameLoader(): void {
  registerImageLoader(SCHEME, ((imageId: string, options?: { requestType?: string }) => ({
    promise: load(imageId, options?.requestType === Enums.RequestType.Prefetch ? "low" : "high"),
  })) as Types.ImageLoaderFn);
  metaData.addProvider((type: string, imageId: string) => moduleOf(type, sources.get(imageId)), 10_000);
}

/**
 * Cornerstone's names of the slices, in slice order.
 * Throws when a slice of the volume has no attributes: a stack with a hole is not a stack.
 */
export function imageIdsOf(slices: SliceStack, attributes: ReadonlyMap<string, DicomJson>): string[] {
  const urls = frameUrls(slices);
  return slices.slices.map(({ sop_instance_uid, index, frame, position_mm }, order) => {
    const found = attributes.get(sop_instance_uid);
    const url = urls[order];
    if (!found || !url) throw new Error(`Slice ${index + 1} has no DICOM attributes on the server; the series cannot be drawn.`);
    const format = pixelFormatOf(found, frame);
    const imageId = `${SCHEME}:${url}`;
    sources.set(imageId, { url, format, plane: planeOf(slices.affine, position_mm ? point3(position_mm) : toWorld(slices.affine, [index, 0, 0]), format) });
    return imageId;
  });
}

async function load(imageId: string, priority: "high" | "low"): Promise<Types.IImage> {
  const source = sources.get(imageId);
  if (!source) throw new Error(`${imageId} is not a slice of an open series.`);
  const { format, url, plane } = source;
  const stored = storedPixelsOf(await fetchFrame(url, priority), format);
  const pixels = rescaled(stored, format);
  const { lowest, highest } = extremes(stored);
  const { rows, columns, slope, intercept } = format;
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({ scalarData: pixels, width: columns, height: rows, numberOfComponents: 1 });
  // Cornerstone draws by a table that has a place for each stored value; whoever measures gets the series' own values.
  voxelManager.getScalarData = () => stored;
  return {
    imageId, rows, columns, height: rows, width: columns, voxelManager, dataType: stored.constructor.name,
    getPixelData: () => pixels, minPixelValue: lowest, maxPixelValue: highest, sizeInBytes: pixels.byteLength,
    slope, intercept, preScale: { enabled: false, scaled: false, scalingParameters: { rescaleSlope: 1, rescaleIntercept: 0, modality: "MR" } },
    windowCenter: (slope * (lowest + highest)) / 2 + intercept, windowWidth: Math.max(1, slope * (highest - lowest)), voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    color: false, rgba: false, numberOfComponents: 1, invert: false,
    ...(plane as { rowPixelSpacing: number; columnPixelSpacing: number }),
  } as unknown as Types.IImage;
}

/** The slice's plane by the volume's own geometry, the same that places the overlay. */
function planeOf(affine: readonly number[], position: Point3, { rows, columns }: PixelFormat): object {
  const [sliceStep, rowStep, columnStep] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((step) => toWorldDirection(affine, point3(step)));
  const [slice, row, column] = [sliceStep ?? [0, 0, 0], rowStep ?? [0, 0, 0], columnStep ?? [0, 0, 0]] as [Point3, Point3, Point3];
  const rowCosines = unit(column);
  const columnCosines = unit(row);
  return {
    rows, columns, rowCosines, columnCosines,
    imageOrientationPatient: [...rowCosines, ...columnCosines],
    imagePositionPatient: [...position],
    rowPixelSpacing: length(row),
    columnPixelSpacing: length(column),
    pixelSpacing: [length(row), length(column)],
    sliceThickness: length(slice),
    frameOfReferenceUID: "volume",
    usingDefaultValues: false,
  };
}

function unit(direction: Point3): Point3 {
  const size = length(direction);
  return [direction[0] / size, direction[1] / size, direction[2] / size];
}

function moduleOf(type: string, source: SliceSource | undefined): unknown {
  if (!source) return undefined;
  const { format, plane } = source;
  const { MetadataModules } = Enums;
  if (type === MetadataModules.IMAGE_PLANE) return plane;
  if (type === MetadataModules.GENERAL_SERIES) return { modality: "MR" };
  if (type !== MetadataModules.IMAGE_PIXEL) return undefined;
  const bits = format.bitsAllocated;
  return {
    rows: format.rows, columns: format.columns, samplesPerPixel: 1, bitsAllocated: bits, bitsStored: bits, highBit: bits - 1,
    pixelRepresentation: format.isSigned ? 1 : 0, photometricInterpretation: "MONOCHROME2",
  };
}

/**
 * Stands for "@cornerstonejs/metadata" in the bundle: the part that Cornerstone's core calls. The whole package brings a
 * DICOM parser, an XML library and the data dictionary, 300 kB compressed, for slices that the server has parsed already.
 */
import * as Enums from "@cornerstonejs/metadata/enums";
import * as metaData from "@cornerstonejs/metadata/metaData";
import calibratedPixelSpacingMetadataProvider from "@cornerstonejs/metadata/utilities/calibratedPixelSpacingMetadataProvider";
import {
  calculateRadiographicPixelSpacing, getERMF, getPixelSpacingInformation,
} from "@cornerstonejs/metadata/utilities/getPixelSpacingInformation";
import imageIdToURI from "@cornerstonejs/metadata/utilities/imageIdToURI";
import isVideoTransferSyntax, { videoUIDs } from "@cornerstonejs/metadata/utilities/isVideoTransferSyntax";
import splitImageIdsBy4DTags, { generateFrameImageId, handleMultiframe4D } from "@cornerstonejs/metadata/utilities/splitImageIdsBy4DTags";

const utilities = {
  calibratedPixelSpacingMetadataProvider, calculateRadiographicPixelSpacing, generateFrameImageId, getERMF,
  getPixelSpacingInformation, handleMultiframe4D, imageIdToURI, isVideoTransferSyntax, splitImageIdsBy4DTags, videoUIDs,
};

export { Enums, metaData, utilities };

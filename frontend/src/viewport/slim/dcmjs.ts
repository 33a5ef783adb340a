/** Stands for "dcmjs" in the bundle: Cornerstone's core takes its log and four constants from it, and nothing else. */
import log from "loglevel";

/** Source: DICOM PS3.5 section 10 and annex A. */
const constants = {
  IMPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2",
  EXPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2.1",
  DEFLATED_EXPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2.1.99",
  EXPLICIT_BIG_ENDIAN: "1.2.840.10008.1.2.2",
};

export { constants, log };

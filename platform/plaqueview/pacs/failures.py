"""Why an instance was not stored, as DIMSE and DICOMweb say it: one table for both."""

from plaqueview.studies.instance_file import Refusal

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE_SOP_INSTANCE = 0x0111
SOP_CLASS_NOT_SUPPORTED = 0x0122
OUT_OF_RESOURCES = 0xA700
COERCED = 0xB000  # a warning: kept, with other values than were sent
CANNOT_UNDERSTAND = 0xC000

# Source: PS3.4 Table B.2-1, PS3.7 C.5, PS3.18 Table 10.5.3-1.
STATUS_OF_REFUSAL: dict[Refusal, int] = {
    Refusal.EMPTY: CANNOT_UNDERSTAND,
    Refusal.NOT_DICOM: CANNOT_UNDERSTAND,
    Refusal.MALFORMED: CANNOT_UNDERSTAND,
    Refusal.TRUNCATED: CANNOT_UNDERSTAND,
    Refusal.BOMB: CANNOT_UNDERSTAND,
    Refusal.NO_IDENTITY: CANNOT_UNDERSTAND,
    Refusal.WRONG_STUDY: PROCESSING_FAILURE,
    Refusal.WRONG_PATIENT: PROCESSING_FAILURE,
    Refusal.CONFLICT: DUPLICATE_SOP_INSTANCE,
    Refusal.UNSUPPORTED: SOP_CLASS_NOT_SUPPORTED,
}

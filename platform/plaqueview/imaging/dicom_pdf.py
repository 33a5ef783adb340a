"""A version's report on pages, for a PACS that shows no other. Source: PS3.3 A.45.1, Encapsulated PDF IOD."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.coding import Code
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from plaqueview.imaging.dicom_document import CHARACTER_SET, Stamp
from plaqueview.imaging.dicom_source import ALWAYS_PRESENT, SourceSeries

SERIES_NUMBER: Final = 9400
MIME_TYPE: Final = "application/pdf"

# Source: PS3.16 CID 7021. Not "diagnostic imaging report", which would claim a diagnosis.
TITLE: Final = Code("126000", "DCM", "Imaging Measurement Report")

# What of the source names the patient and the study beside ALWAYS_PRESENT.
KEPT: Final = (
    "IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved",
    "DeidentificationMethod", "StudyDescription", "StudyInstanceUID",
)  # fmt: skip


def encapsulated_pdf(pdf: bytes, source: SourceSeries, stamp: Stamp, *, language: str) -> Dataset:
    """The pages as an object of the source's study; each language is an object of its own."""
    dataset = Dataset()
    for keyword in (*ALWAYS_PRESENT, *KEPT):
        if keyword in source.headers[0]:
            dataset[keyword] = source.headers[0][keyword]
    _describe_series(dataset, stamp, language)
    _describe_document(dataset, stamp)
    dataset.SourceInstanceSequence = DicomSequence(_references(source))
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _describe_series(dataset: Dataset, stamp: Stamp, language: str) -> None:
    """Source: PS3.3 C.24.1, Encapsulated Document Series; C.7.5.1 and C.8.6.1, the equipment; C.12.1, SOP Common."""
    dataset.SpecificCharacterSet = CHARACTER_SET
    dataset.SOPClassUID = EncapsulatedPDFStorage
    dataset.SOPInstanceUID = stamp.uid(f"pdf {language}")
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = "", ""
    dataset.Modality = "DOC"
    dataset.SeriesInstanceUID = stamp.uid("pdf series")
    dataset.SeriesNumber = SERIES_NUMBER + stamp.version
    dataset.SeriesDescription = stamp.describe("MS plaque report")
    dataset.ConversionType = "WSD"
    equipment = stamp.equipment()
    dataset.Manufacturer = equipment["manufacturer"]
    dataset.ManufacturerModelName = equipment["manufacturer_model_name"]
    dataset.DeviceSerialNumber = equipment["device_serial_number"]
    dataset.SoftwareVersions = equipment["software_versions"]


def _describe_document(dataset: Dataset, stamp: Stamp) -> None:
    """Source: PS3.3 C.24.2, Encapsulated Document. The pages name the patient: Burned In Annotation says so."""
    dataset.InstanceNumber = 1
    dataset.ContentDate, dataset.ContentTime = "", ""
    dataset.AcquisitionDateTime = ""
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = stamp.describe("MS plaque report")
    dataset.ConceptNameCodeSequence = DicomSequence([_coded(TITLE)])
    dataset.VerificationFlag = "VERIFIED" if stamp.approval else "UNVERIFIED"
    dataset.MIMETypeOfEncapsulatedDocument = MIME_TYPE


def _references(source: SourceSeries) -> list[Dataset]:
    """The instances that the pages speak of, each once."""
    return [_reference(header) for header in source.headers]


def _reference(header: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return reference


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item

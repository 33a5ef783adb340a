"""The documents of a version, from its rows, its mask and the files of its series."""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

import numpy as np
from django.conf import settings
from django.utils import translation
from numpy.typing import NDArray

from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation
from plaqueview.imaging import mask_codec
from plaqueview.imaging.dicom_document import Stamp, encode
from plaqueview.imaging.dicom_pdf import encapsulated_pdf
from plaqueview.imaging.dicom_seg import segmentation_of
from plaqueview.imaging.dicom_source import SourceSeries, source_series
from plaqueview.imaging.dicom_sr import ReportedLesion, ReportedMeasures, report_of
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.secondary_capture import Slices, captures_of
from plaqueview.imaging.volume import Volume
from plaqueview.imaging.windowing import reading_window
from plaqueview.reports.fhir_bundle import fhir_bundle
from plaqueview.reports.fhir_r5 import fhir_r5_bundle
from plaqueview.reports.lesion_csv import lesions_csv
from plaqueview.reports.report_pdf import report_pdf
from plaqueview.reports.stamps import basis_of, stamp_of
from plaqueview.studies import services as studies

# Slices compress well at any level; the fastest is a fifth of the time.
COMPRESSION_LEVEL = 1


class DocumentKind(StrEnum):
    """What a version can be asked for, by the name that its address ends in."""

    SEGMENTATION = "seg.dcm"
    REPORT = "sr.dcm"
    CAPTURES = "sc.zip"
    LESIONS = "lesions.csv"
    PAGES = "report.pdf"
    ENCAPSULATED_PAGES = "pdf.dcm"
    FHIR = "fhir"
    FHIR_R5 = "fhir-r5"


MEDIA_TYPES: Mapping[DocumentKind, str] = {
    DocumentKind.SEGMENTATION: "application/dicom",
    DocumentKind.REPORT: "application/dicom",
    DocumentKind.CAPTURES: "application/zip",
    DocumentKind.LESIONS: "text/csv; charset=utf-8",
    DocumentKind.PAGES: "application/pdf",
    DocumentKind.ENCAPSULATED_PAGES: "application/dicom",
    DocumentKind.FHIR: "application/fhir+json; fhirVersion=4.0",
    DocumentKind.FHIR_R5: "application/fhir+json; fhirVersion=5.0",
}


# All but the lesions, which have identifiers only.
NAMES_PATIENT = frozenset(DocumentKind) - {DocumentKind.LESIONS}

# They say what has changed since a prior, so that who reads them reads of the prior as well.
COMPARES = frozenset({DocumentKind.PAGES, DocumentKind.ENCAPSULATED_PAGES, DocumentKind.FHIR, DocumentKind.FHIR_R5})

# What a file is called after, where that is not the end of its address.
ENDINGS: Mapping[DocumentKind, str] = {DocumentKind.FHIR: "fhir.json", DocumentKind.FHIR_R5: "fhir-r5.json"}


@dataclass(frozen=True)
class Document:
    """A file that leaves the house; `sha256` names its bytes."""

    kind: DocumentKind
    name: str
    content: bytes
    sha256: str

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.kind]


def make(annotation: Annotation, kind: DocumentKind, *, language: str = "") -> Document:
    """The document, the same bytes each time until the version is approved, and the same again from then on.

    Pages are in `language`, one of `settings.LANGUAGES`, by default in that of the department.

    Raises: DocumentError, SeriesReadError when the series no longer fits the version, or cannot be read.
    """
    with translation.override(language or settings.REPORT_LANGUAGE):
        content = MAKERS[kind](annotation)
    name = f"plaqueview-{annotation.pk}-{ENDINGS.get(kind, kind)}"
    return Document(kind, name, content, hashlib.sha256(content).hexdigest())


def segmentation_file(annotation: Annotation, stamp: Stamp) -> bytes:
    labels = Volume(_labels_of(annotation), _affine_of(annotation))
    return encode(segmentation_of(labels, _source_of(annotation), stamp), stamp)


def report_file(annotation: Annotation, stamp: Stamp) -> bytes:
    source = _source_of(annotation)
    source.require_grid(annotation.shape, _affine_of(annotation))
    return encode(report_of(_measures_of(annotation, stamp), source, stamp), stamp)


def _captures(annotation: Annotation) -> bytes:
    stamp, source = stamp_of(annotation), _source_of(annotation)
    source.require_grid(annotation.shape, _affine_of(annotation))
    captures = captures_of(_slices_of(annotation), source, stamp)
    return _zipped((f"{number:04}.dcm", encode(capture, stamp)) for number, capture in enumerate(captures, start=1))


def _encapsulated_pages(annotation: Annotation) -> bytes:
    stamp, source = stamp_of(annotation), _source_of(annotation)
    source.require_grid(annotation.shape, _affine_of(annotation))
    language = translation.get_language()
    return encode(encapsulated_pdf(report_pdf(annotation), source, stamp, language=language), stamp)


MAKERS: Mapping[DocumentKind, Callable[[Annotation], bytes]] = {
    DocumentKind.SEGMENTATION: lambda annotation: segmentation_file(annotation, stamp_of(annotation)),
    DocumentKind.REPORT: lambda annotation: report_file(annotation, stamp_of(annotation)),
    DocumentKind.CAPTURES: _captures,
    DocumentKind.LESIONS: lesions_csv,
    DocumentKind.PAGES: report_pdf,
    DocumentKind.ENCAPSULATED_PAGES: _encapsulated_pages,
    DocumentKind.FHIR: fhir_bundle,
    DocumentKind.FHIR_R5: fhir_r5_bundle,
}


def _source_of(annotation: Annotation) -> SourceSeries:
    return source_series(studies.load_headers(annotation.series_id))


def _labels_of(annotation: Annotation) -> NDArray[np.uint8]:
    return mask_codec.decode(labels_of(annotation).content)


def _affine_of(annotation: Annotation) -> NDArray[np.float64]:
    return np.array(annotation.affine, np.float64).reshape(4, 4)


def _measures_of(annotation: Annotation, stamp: Stamp) -> ReportedMeasures:
    lesions = [
        ReportedLesion(
            tracking=str(lesion.pk),
            number=lesion.number,
            lesion_class=LesionClass(lesion.lesion_class),
            volume_ml=lesion.volume_ml,
            longest_axis_mm=lesion.longest_axis_mm,
            in_plane_axis_mm=lesion.in_plane_axis_mm,
            slice_indices=lesion.slice_indices,
            basis=basis_of(lesion, stamp),
        )
        for lesion in annotation.lesions.order_by("number")
    ]
    return ReportedMeasures(lesions, annotation.counts, annotation.volumes_ml)


def _slices_of(annotation: Annotation) -> Slices:
    volume = studies.load_volume(annotation.series_id).volume
    return Slices(
        volume=volume,
        labels=_labels_of(annotation),
        window=studies.read_slices(annotation.series).window or reading_window(volume.voxels),
        counts=annotation.counts,
        counts_by_slice={kind: annotation.counts_by_slice[kind.value] for kind in LesionClass},
    )


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """An archive whose bytes follow from its files: every entry bears the earliest date that the format knows."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL)
    return stream.getvalue()

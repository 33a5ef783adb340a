"""How a FLAIR was taken: against what is recommended for multiple sclerosis, and against how the prior was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydicom.dataset import Dataset

from plaqueview.imaging.dicom_header import first_number, first_words, frame_places, text
from plaqueview.imaging.image_quality import MOST_EDGE_BRAIN, MOST_GHOSTING, MOST_NOISE, ImageQuality

CONSENSUS: Final = "MAGNIMS-CMSC-NAIMS, Wattjes et al., Lancet Neurol 2021;20:653-670"
OWN_LIMIT: Final = "limit of PlaqueView, from ten studies of one scanner"

LEAST_TESLA: Final = 1.5
MOST_TESLA: Final = 12.0  # beyond, the attribute is in another unit than DICOM's
THICKEST_3D_MM: Final = 1.0
THICKEST_OVERLAPPING_MM: Final = 1.5
OVERLAP_MM: Final = 0.75
THICKEST_2D_MM: Final = 3.0
WIDEST_PIXEL_MM: Final = 1.0

THIN: Final = (
    f"3D: {THICKEST_3D_MM:g} mm, or at most {THICKEST_OVERLAPPING_MM:g} mm overlapping by {OVERLAP_MM:g} mm; "
    f"2D: at most {THICKEST_2D_MM:g} mm"
)

# Scanners round lengths, and fields of 1.494 T are sold as 1.5 T.
LENGTH_TOLERANCE_MM: Final = 0.05
TESLA_TOLERANCE: Final = 0.05

# Times and lengths that differ by less are those of one protocol.
SAME_WITHIN: Final = 0.05

NOT_COMPARABLE: Final = "Numbers of different protocols are not comparable."
SAME_RULE: Final = f"the same as at the prior, numbers within {SAME_WITHIN:.0%}"


class Verdict(StrEnum):
    PASSED = "passed"
    WARNING = "warning"
    NOT_KNOWN = "not_known"


class Check(StrEnum):
    FLAIR = "flair"
    SCANNER_MODEL = "scanner_model"
    SCANNER = "scanner"
    FIELD_STRENGTH = "field_strength"
    ACQUISITION = "acquisition"
    SLICE_THICKNESS = "slice_thickness"
    SLICE_GAP = "slice_gap"
    SLICE_SPACING = "slice_spacing"
    IN_PLANE = "in_plane"
    MATRIX = "matrix"
    REPETITION_TIME = "repetition_time"
    ECHO_TIME = "echo_time"
    INVERSION_TIME = "inversion_time"
    COVERAGE = "coverage"
    NOISE = "noise"
    GHOSTING = "ghosting"


TITLES: Final[Mapping[Check, str]] = {
    Check.FLAIR: "FLAIR",
    Check.SCANNER_MODEL: "Scanner model",
    Check.SCANNER: "Scanner's serial number",
    Check.FIELD_STRENGTH: "Field strength",
    Check.ACQUISITION: "2D or 3D",
    Check.SLICE_THICKNESS: "Slice thickness",
    Check.SLICE_GAP: "Gap between slices",
    Check.SLICE_SPACING: "Distance of slices",
    Check.IN_PLANE: "In-plane resolution",
    Check.MATRIX: "Matrix",
    Check.REPETITION_TIME: "Repetition time",
    Check.ECHO_TIME: "Echo time",
    Check.INVERSION_TIME: "Inversion time",
    Check.COVERAGE: "Coverage: brain in the outermost slices",
    Check.NOISE: "Noise (estimate)",
    Check.GHOSTING: "Motion: ghosts in the air (estimate)",
}

# What is recommended, and who says so.
RECOMMENDED: Final[Mapping[Check, tuple[str, str]]] = {
    Check.FLAIR: ("T2-weighted FLAIR, preferably sagittal 3D", CONSENSUS),
    Check.FIELD_STRENGTH: (f"at least {LEAST_TESLA:g} T, preferably 3 T", CONSENSUS),
    Check.ACQUISITION: ("3D preferred, 2D accepted", CONSENSUS),
    Check.SLICE_THICKNESS: (THIN, CONSENSUS),
    Check.SLICE_GAP: ("no gap", CONSENSUS),
    Check.IN_PLANE: (f"at most {WIDEST_PIXEL_MM:g} mm by {WIDEST_PIXEL_MM:g} mm", CONSENSUS),
    Check.COVERAGE: (
        f"whole brain: at either end at most {MOST_EDGE_BRAIN:.0%} of its largest section",
        f"{CONSENSUS}; {OWN_LIMIT}",
    ),
    Check.NOISE: (
        f"at most {MOST_NOISE:.0%} of the brain's median",
        f"Immerkær, Comput Vis Image Underst 1996;64:300-302; {OWN_LIMIT}",
    ),
    Check.GHOSTING: (
        f"at most {MOST_GHOSTING:.1%} of the head's mean",
        f"half of the percent signal ghosting of the American College of Radiology, here of a head; {OWN_LIMIT}",
    ),
}


@dataclass(frozen=True)
class Acquisition:
    """What a series says of how it was taken; None or empty where it says nothing.

    `kind` is "2D" or "3D". `pixel_mm` is between rows, between columns, as stored: a scanner may have interpolated.
    """

    description: str = ""
    scanner_model: str = ""
    serial_number: str = ""
    field_tesla: float | None = None
    kind: str = ""
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    slice_thickness_mm: float | None = None
    slice_spacing_mm: float | None = None
    pixel_mm: tuple[float, float] | None = None
    matrix: tuple[int, int] | None = None


@dataclass(frozen=True)
class Finding:
    """`found` is empty where the verdict is not known."""

    check: Check
    found: str
    verdict: Verdict

    @property
    def recommended(self) -> str:
        return RECOMMENDED[self.check][0]

    @property
    def source(self) -> str:
        return RECOMMENDED[self.check][1]


@dataclass(frozen=True)
class Difference:
    """One part of the protocol now and at the prior; empty where a header does not say it."""

    check: Check
    found: str
    prior: str
    verdict: Verdict


def acquisition_of(
    header: Dataset,
    *,
    slice_spacing_mm: float | None,
    pixel_mm: tuple[float, float] | None,
    matrix: tuple[int, int] | None,
) -> Acquisition:
    """From the header of one image of the series, classic or enhanced; the geometry is the whole stack's."""
    places = frame_places(header, 1)
    kinds = first_words(places, "MRAcquisitionType")
    return Acquisition(
        description=text(header, "SeriesDescription"),
        scanner_model=" ".join(filter(None, (text(header, "Manufacturer"), text(header, "ManufacturerModelName")))),
        serial_number=text(header, "DeviceSerialNumber"),
        field_tesla=_positive(first_number(places, "MagneticFieldStrength")),
        kind=kinds[0] if kinds and kinds[0] in ("2D", "3D") else "",
        repetition_time_ms=_positive(first_number(places, "RepetitionTime")),
        echo_time_ms=_positive(first_number(places, "EffectiveEchoTime", "EchoTime")),
        inversion_time_ms=_positive(first_number(places, "InversionTimes", "InversionTime")),
        slice_thickness_mm=_positive(first_number(places, "SliceThickness")),
        slice_spacing_mm=slice_spacing_mm,
        pixel_mm=pixel_mm,
        matrix=matrix,
    )


def _positive(number: float | None) -> float | None:
    """Scanners write 0 for what they do not say."""
    return number if number and number > 0.0 else None


def check_protocol(flair: Acquisition | None, quality: ImageQuality | None) -> tuple[Finding, ...]:
    """Every check of a study's FLAIR; of a study that has none, that it has none. `quality` None: not measured."""
    if flair is None:
        return (Finding(Check.FLAIR, "", Verdict.WARNING),)
    measured = quality or ImageQuality(None, None, None)
    return (
        Finding(Check.FLAIR, flair.description or "?", Verdict.PASSED),
        _field(flair.field_tesla),
        Finding(Check.ACQUISITION, flair.kind, Verdict.PASSED if flair.kind else Verdict.NOT_KNOWN),
        _thickness(flair),
        _gap(flair),
        _in_plane(flair),
        _share(Check.COVERAGE, measured.edge_brain, MOST_EDGE_BRAIN),
        _share(Check.NOISE, measured.noise, MOST_NOISE),
        _share(Check.GHOSTING, measured.ghosting, MOST_GHOSTING),
    )


def _judged(check: Check, found: str, passes: bool | None) -> Finding:  # noqa: FBT001 (the verdict's own value)
    verdict = Verdict.NOT_KNOWN if passes is None else Verdict.PASSED if passes else Verdict.WARNING
    return Finding(check, found, verdict)


def _field(tesla: float | None) -> Finding:
    if tesla is None or tesla > MOST_TESLA:
        return _judged(Check.FIELD_STRENGTH, "", None)
    return _judged(Check.FIELD_STRENGTH, _tesla(tesla), tesla >= LEAST_TESLA - TESLA_TOLERANCE)


def _thickness(flair: Acquisition) -> Finding:
    return _judged(Check.SLICE_THICKNESS, _mm(flair.slice_thickness_mm), _is_thin(flair))


def _is_thin(flair: Acquisition) -> bool | None:
    """Where the header does not say 2D or 3D, only what holds of both is said."""
    if flair.slice_thickness_mm is None:
        return None
    as_2d = flair.slice_thickness_mm <= THICKEST_2D_MM + LENGTH_TOLERANCE_MM
    as_3d = flair.slice_thickness_mm <= THICKEST_3D_MM + LENGTH_TOLERANCE_MM or _overlaps(flair)
    if flair.kind:
        return as_3d if flair.kind == "3D" else as_2d
    return as_2d if as_2d == as_3d else None


def _overlaps(flair: Acquisition) -> bool:
    thickness, spacing = flair.slice_thickness_mm, flair.slice_spacing_mm
    if thickness is None or spacing is None or thickness > THICKEST_OVERLAPPING_MM + LENGTH_TOLERANCE_MM:
        return False
    return thickness - spacing >= OVERLAP_MM - LENGTH_TOLERANCE_MM


def _gap(flair: Acquisition) -> Finding:
    if flair.slice_thickness_mm is None or flair.slice_spacing_mm is None:
        return _judged(Check.SLICE_GAP, "", None)
    gap_mm = max(0.0, flair.slice_spacing_mm - flair.slice_thickness_mm)
    return _judged(Check.SLICE_GAP, _mm(round(gap_mm, 2)), gap_mm <= LENGTH_TOLERANCE_MM)


def _in_plane(flair: Acquisition) -> Finding:
    if flair.pixel_mm is None:
        return _judged(Check.IN_PLANE, "", None)
    return _judged(Check.IN_PLANE, _pixel(flair), max(flair.pixel_mm) <= WIDEST_PIXEL_MM + LENGTH_TOLERANCE_MM)


def _share(check: Check, share: float | None, most: float) -> Finding:
    return _judged(check, "" if share is None else f"{share:.1%}", None if share is None else share <= most)


def compare_protocols(flair: Acquisition, prior: Acquisition) -> tuple[Difference, ...]:
    """Every part of the protocol against the prior's; what either header does not say is not known."""
    return (
        _text_difference(Check.SCANNER_MODEL, flair.scanner_model, prior.scanner_model),
        _text_difference(Check.SCANNER, flair.serial_number, prior.serial_number),
        _difference(Check.FIELD_STRENGTH, (flair.field_tesla,), (prior.field_tesla,), "T"),
        _text_difference(Check.ACQUISITION, flair.kind, prior.kind),
        _difference(Check.REPETITION_TIME, (flair.repetition_time_ms,), (prior.repetition_time_ms,), "ms"),
        _difference(Check.ECHO_TIME, (flair.echo_time_ms,), (prior.echo_time_ms,), "ms"),
        _difference(Check.INVERSION_TIME, (flair.inversion_time_ms,), (prior.inversion_time_ms,), "ms"),
        _text_difference(Check.MATRIX, _matrix(flair), _matrix(prior)),
        _difference(Check.SLICE_THICKNESS, (flair.slice_thickness_mm,), (prior.slice_thickness_mm,), "mm"),
        _difference(Check.SLICE_SPACING, (flair.slice_spacing_mm,), (prior.slice_spacing_mm,), "mm"),
        _difference(Check.IN_PLANE, flair.pixel_mm or (None,), prior.pixel_mm or (None,), "mm"),
    )


def _text_difference(check: Check, now: str, then: str) -> Difference:
    is_same = now.casefold() == then.casefold()
    verdict = Verdict.NOT_KNOWN if not now or not then else Verdict.PASSED if is_same else Verdict.WARNING
    return Difference(check, now, then, verdict)


def _difference(check: Check, now: tuple[float | None, ...], then: tuple[float | None, ...], unit: str) -> Difference:
    pairs = [(a, b) for a, b in zip(now, then, strict=False) if a is not None and b is not None]
    are_same = all(abs(a - b) <= SAME_WITHIN * max(a, b) for a, b in pairs)
    verdict = Verdict.NOT_KNOWN if not pairs else Verdict.PASSED if are_same else Verdict.WARNING
    return Difference(check, _numbers(now, unit), _numbers(then, unit), verdict)


def _numbers(values: tuple[float | None, ...], unit: str) -> str:
    known = [f"{value:.4g}" for value in values if value is not None]
    return f"{' × '.join(known)} {unit}" if known else ""  # noqa: RUF001


def _tesla(tesla: float) -> str:
    return _numbers((tesla,), "T")


def _mm(length_mm: float | None) -> str:
    return _numbers((length_mm,), "mm")


def _pixel(flair: Acquisition) -> str:
    return _numbers(flair.pixel_mm or (None,), "mm")


def _matrix(flair: Acquisition) -> str:
    return " × ".join(map(str, flair.matrix)) if flair.matrix else ""  # noqa: RUF001

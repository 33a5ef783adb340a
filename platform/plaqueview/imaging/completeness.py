"""Whether the slices of a series make one whole stack, told from headers alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaqueview.imaging.volume import axial_reorientation

# Slices may lie off their regular place by this much: scanners round positions, and a patient's slices do not.
POSITION_TOLERANCE_MM = 0.05
POSITION_TOLERANCE_SHARE = 0.02  # of the slice spacing

# Direction cosines and in-plane spacings (mm) that differ by less are written by one scan.
COSINE_TOLERANCE = 1e-3
SPACING_TOLERANCE_MM = 1e-3

# Beyond this many, a problem gives the number of instances instead of each one.
LARGEST_LIST = 6


@dataclass(frozen=True)
class InstanceHeader:
    """What one slice says of itself: an instance, or one frame of a multi-frame instance.

    Attributes bear DICOM's names and units; None where the header has none that can be used. `frame_number` counts from
    1 as in WADO-RS; `number_of_frames` is the instance's.
    """

    sop_instance_uid: str
    instance_number: int | None
    image_position_patient: tuple[float, float, float] | None
    image_orientation_patient: tuple[float, float, float, float, float, float] | None
    pixel_spacing: tuple[float, float] | None  # between rows, between columns
    rows: int | None
    columns: int | None
    number_of_frames: int = 1
    frame_number: int = 1
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    acquisition_number: int | None = None
    temporal_position_index: int | None = None
    image_type: tuple[str, ...] = ()
    images_in_acquisition: int | None = None

    @property
    def name(self) -> str:
        """How a person finds the slice."""
        if self.number_of_frames > 1:
            return f"frame {self.frame_number}"
        return "instance without a number" if self.instance_number is None else f"instance {self.instance_number}"


@dataclass(frozen=True)
class Completeness:
    """`problems` forbid reading the series as a volume; `remarks` are for the reader's eye only.

    `slice_spacing_mm` is the usual distance between slices; None where it cannot be told.
    """

    slice_count: int
    slice_spacing_mm: float | None
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.problems


def assess(headers: Sequence[InstanceHeader]) -> Completeness:
    """Every problem of the series, each in a sentence that names slices, what was found and what is needed."""
    if not headers:
        return Completeness(0, None, ("the series has no slices, need at least one",))
    problems = _missing_attributes(headers)
    if problems:
        return Completeness(len(headers), None, problems)
    problems = _mixed_geometry(headers)
    if problems:
        return Completeness(len(headers), None, problems)
    ordered = in_slice_order(headers)
    spacing_mm = _usual_step(ordered)
    problems = _shared_positions(ordered) or _uneven_steps(ordered, spacing_mm)
    return Completeness(len(headers), spacing_mm, problems, _remarks(headers))


def in_slice_order(headers: Sequence[InstanceHeader]) -> tuple[InstanceHeader, ...]:
    """The headers of one orientation, ascending towards the head, the back or the left as their planes are named."""
    distances = distances_mm(headers)
    return tuple(headers[index] for index in np.argsort(distances, kind="stable"))


def slice_normal(header: InstanceHeader) -> NDArray[np.float64]:
    """The (3,) unit normal of a slice in LPS, towards the head for axial, the back for coronal, the left for sagittal.

    A plane is named as `axial_reorientation` assigns its normal, so that both agree on oblique slices too.
    """
    directions = _directions(header.image_orientation_patient)
    reorientation, normal = axial_reorientation(directions), directions[:3, 0]
    return -normal if reorientation.flips[reorientation.axes.index(0)] else normal


def is_orientation(image_orientation_patient: tuple[float, ...] | None) -> bool:
    """Whether these are two perpendicular unit vectors, as PS3.3 C.7.6.2.1.1 demands."""
    if image_orientation_patient is None or len(image_orientation_patient) != 6:
        return False
    row, column = image_orientation_patient[:3], image_orientation_patient[3:]
    # Without numpy, which takes ten times as long for so few numbers, and a study has hundreds of slices.
    off = (_product(row, row) - 1.0, _product(column, column) - 1.0, _product(row, column))
    return all(abs(one) <= COSINE_TOLERANCE for one in off)


def _product(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def plane_of(image_orientation_patient: tuple[float, ...] | None) -> str:
    """Which of "axial", "coronal" and "sagittal" an oblique slice is nearest to; the orientation is a usable one."""
    return ("axial", "coronal", "sagittal")[axial_reorientation(_directions(image_orientation_patient)).axes.index(0)]


def _directions(image_orientation_patient: tuple[float, ...] | None) -> NDArray[np.float64]:
    """4x4, its columns the unit directions of slices, rows and columns; the first is perpendicular to the others."""
    cosines = np.array(image_orientation_patient, np.float64)
    normal = np.cross(cosines[:3], cosines[3:])
    directions = np.eye(4)
    directions[:3, :3] = np.stack([normal / np.linalg.norm(normal), cosines[3:], cosines[:3]], axis=1)
    return directions


def distances_mm(headers: Sequence[InstanceHeader]) -> NDArray[np.float64]:
    """The place of each slice along the normal of the first."""
    positions = np.array([header.image_position_patient for header in headers], np.float64)
    distances: NDArray[np.float64] = positions @ slice_normal(headers[0])
    return distances


def position_tolerance_mm(spacing_mm: float) -> float:
    return max(POSITION_TOLERANCE_MM, POSITION_TOLERANCE_SHARE * spacing_mm)


def _missing_attributes(headers: Sequence[InstanceHeader]) -> tuple[str, ...]:
    needed: dict[str, Callable[[InstanceHeader], bool]] = {
        "ImagePositionPatient": lambda header: header.image_position_patient is not None,
        "ImageOrientationPatient": lambda header: is_orientation(header.image_orientation_patient),
        "PixelSpacing": lambda header: header.pixel_spacing is not None and min(header.pixel_spacing) > 0,
        "Rows and Columns": lambda header: bool(header.rows and header.columns),
    }
    lacking = {name: [header for header in headers if not is_there(header)] for name, is_there in needed.items()}
    problems = [f"{name} is missing or unusable at {_names(found)}" for name, found in lacking.items() if found]
    problems += _undescribed_frames(headers)
    if len(headers) == 1 and not (headers[0].spacing_between_slices or headers[0].slice_thickness):
        problems.append("a single slice needs SpacingBetweenSlices or SliceThickness, and has neither")
    return tuple(problems)


def _undescribed_frames(headers: Sequence[InstanceHeader]) -> list[str]:
    described = Counter(header.sop_instance_uid for header in headers)
    announced = {header.sop_instance_uid: header.number_of_frames for header in headers}
    return [
        f"an instance announces {announced[uid]} frames and describes {count}, need as many"
        for uid, count in described.items()
        if count != announced[uid]
    ]


def _mixed_geometry(headers: Sequence[InstanceHeader]) -> tuple[str, ...]:
    """Orientation, matrix and spacing have to be one each."""
    problems = []
    if _differ([header.image_orientation_patient for header in headers], COSINE_TOLERANCE):
        found = _tally([plane_of(header.image_orientation_patient) for header in headers])
        problems.append(f"slices lie in more than one orientation ({found}), need one")
    matrices = [f"of {header.rows} x {header.columns}" for header in headers]
    if len(set(matrices)) > 1:
        problems.append(f"slices have more than one matrix ({_tally(matrices)}), need one")
    if _differ([header.pixel_spacing for header in headers], SPACING_TOLERANCE_MM):
        found = _tally([f"of {header.pixel_spacing} mm" for header in headers])
        problems.append(f"slices have more than one PixelSpacing ({found}), need one")
    return tuple(problems)


def _differ(values: Sequence[tuple[float, ...] | None], tolerance: float) -> bool:
    table = np.array(values, np.float64)
    return bool((np.abs(table - table[0]) > tolerance).any())


def _tally(kinds: Sequence[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in Counter(kinds).most_common(LARGEST_LIST))


def _usual_step(ordered: Sequence[InstanceHeader]) -> float | None:
    """The median step between distinct positions, the lower of two; a lone slice's own spacing."""
    if len(ordered) == 1:
        return ordered[0].spacing_between_slices or ordered[0].slice_thickness
    steps = np.diff(distances_mm(ordered))
    distinct = np.sort(steps[steps > POSITION_TOLERANCE_MM])
    return float(distinct[(len(distinct) - 1) // 2]) if len(distinct) else None


def _shared_positions(ordered: Sequence[InstanceHeader]) -> tuple[str, ...]:
    """Several slices at one place are several volumes, and choosing between them would be a guess."""
    shared = np.flatnonzero(np.diff(distances_mm(ordered)) <= POSITION_TOLERANCE_MM)
    if not len(shared):
        return ()
    named = [f"{ordered[at].name} and {ordered[at + 1].name}" for at in shared.tolist()[:LARGEST_LIST]]
    more = f" and {len(shared) - LARGEST_LIST} more pairs" if len(shared) > LARGEST_LIST else ""
    return (f"slices share a position ({', '.join(named)}{more}){_cause(ordered)}, need one slice at each place",)


def _cause(headers: Sequence[InstanceHeader]) -> str:
    """What sets the volumes of one series apart, where the headers say so."""
    distinguishing: dict[str, set[object]] = {
        "echo times {} ms": {header.echo_time_ms for header in headers},
        "inversion times {} ms": {header.inversion_time_ms for header in headers},
        "acquisitions {}": {header.acquisition_number for header in headers},
        "time points {}": {header.temporal_position_index for header in headers},
        "image types {}": {"/".join(header.image_type) for header in headers},
    }
    causes = [
        sentence.format(" and ".join(sorted(map(str, values))))
        for sentence, values in distinguishing.items()
        if 1 < len(values) <= LARGEST_LIST
    ]
    return f": it holds {'; '.join(causes)}" if causes else ""


def _uneven_steps(ordered: Sequence[InstanceHeader], spacing_mm: float | None) -> tuple[str, ...]:
    if spacing_mm is None or len(ordered) < 2:
        return ()
    steps = np.diff(distances_mm(ordered))
    tolerance = position_tolerance_mm(spacing_mm)
    uneven = np.flatnonzero(np.abs(steps - spacing_mm) > tolerance)
    problems = [_uneven_step(ordered[at], ordered[at + 1], float(steps[at]), spacing_mm) for at in uneven.tolist()]
    return tuple(problems) or _sideways(ordered, tolerance)


def _uneven_step(below: InstanceHeader, above: InstanceHeader, step_mm: float, spacing_mm: float) -> str:
    between = f"between {below.name} and {above.name}: step {step_mm:.4g} mm, expected {spacing_mm:.4g} mm"
    missing = round(step_mm / spacing_mm) - 1
    if missing < 1 or abs(step_mm - (missing + 1) * spacing_mm) > (missing + 1) * position_tolerance_mm(spacing_mm):
        return f"slices are unevenly spaced {between}"
    return f"{missing} slice{'s' if missing > 1 else ''} missing {between}"


def _sideways(ordered: Sequence[InstanceHeader], tolerance: float) -> tuple[str, ...]:
    """Slices at even steps that are shifted in their plane are no stack either."""
    positions = np.array([header.image_position_patient for header in ordered], np.float64)
    line = np.linspace(positions[0], positions[-1], len(positions))
    offset = np.linalg.norm(positions - line, axis=1)
    worst = int(offset.argmax())
    if offset[worst] <= 2 * tolerance:
        return ()
    return (f"{ordered[worst].name} lies {offset[worst]:.3g} mm beside the line of the others, need a straight stack",)


def _remarks(headers: Sequence[InstanceHeader]) -> tuple[str, ...]:
    """Positions cannot show that slices at an end are missing; a count in the header can hint at it."""
    announced = max((header.images_in_acquisition or 0 for header in headers), default=0)
    if announced <= len(headers):
        return ()
    return (
        f"the header announces {announced} images in the acquisition, {len(headers)} are here: an end may be cut off",
    )


def _names(headers: Sequence[InstanceHeader]) -> str:
    if len(headers) > LARGEST_LIST:
        return f"{len(headers)} slices"
    return ", ".join(header.name for header in headers)

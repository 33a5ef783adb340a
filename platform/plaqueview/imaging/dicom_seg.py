"""The labels of a version as a DICOM Segmentation on the grid of its source. Source: PS3.3 A.51 and C.8.20."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom.color import CIELabColor
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
)
from highdicom.sr import CodedConcept
from pydicom.sequence import Sequence as DicomSequence

from plaqueview.imaging.dicom_document import BRAIN, CATEGORY, CHARACTER_SET, CLASS_CODES, COLORS, LESION, Stamp, quiet
from plaqueview.imaging.dicom_source import SourceSeries
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass
from plaqueview.imaging.volume import Volume

SERIES_NUMBER = 9100

# The segments, numbered as the labels are: inactive 1, active 2.
SEGMENTS: Sequence[LesionClass] = sorted(LABEL_OF_CLASS, key=lambda kind: LABEL_OF_CLASS[kind])


def segmentation_of(labels: Volume, source: SourceSeries, stamp: Stamp) -> Segmentation:
    """The SEG of the labels 0, 1 (inactive) and 2 (active), a BINARY one, which every viewer of today reads.

    Both classes are segments also where nothing bears them; frames without a voxel are left out. Every frame refers to
    the slice it lies on. Why BINARY: docs/decisions/0008-dicom-documents.md.

    Raises: DocumentError when the labels do not lie on the grid of the source.
    """
    source.require_grid(labels.shape, labels.affine)
    with quiet():
        return Segmentation(
            source_images=list(source.headers),
            pixel_array=np.ascontiguousarray(source.in_frame_order(labels.voxels), np.uint8),
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=[_describe(kind, stamp) for kind in SEGMENTS],
            series_instance_uid=stamp.uid("seg series"),
            series_number=SERIES_NUMBER + stamp.version,
            sop_instance_uid=stamp.uid("seg"),
            instance_number=1,
            content_label="MS_PLAQUES" if stamp.approval else "MS_PLAQUES_DRAFT",
            content_description=stamp.notice,
            content_creator_name=stamp.reader or None,
            series_description=stamp.describe("MS plaques"),
            omit_empty_frames=bool(labels.voxels.any()),
            specific_character_set=CHARACTER_SET,
            **stamp.equipment(),
        )


def _describe(lesion_class: LesionClass, stamp: Stamp) -> SegmentDescription:
    description = SegmentDescription(
        segment_number=LABEL_OF_CLASS[lesion_class],
        segment_label=stamp.label_of(lesion_class),
        segmented_property_category=CATEGORY,
        segmented_property_type=LESION,
        algorithm_type=_algorithm_type(stamp),
        algorithm_identification=stamp.algorithm.as_sequence() if stamp.algorithm else None,
        anatomic_regions=[BRAIN],
        tracking_id=f"{lesion_class.value} plaques of version {stamp.version}",
        tracking_uid=stamp.uid(f"segment {lesion_class.value}"),
        display_color=CIELabColor.from_rgb(*COLORS[lesion_class]),
    )
    modifier = CodedConcept.from_code(CLASS_CODES[lesion_class])
    description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = DicomSequence(
        [modifier]
    )
    return description


def _algorithm_type(stamp: Stamp) -> SegmentAlgorithmTypeValues:
    """Source: PS3.3 C.8.20.2, Segment Algorithm Type."""
    if stamp.algorithm is None:
        return SegmentAlgorithmTypeValues.MANUAL
    return SegmentAlgorithmTypeValues.SEMIAUTOMATIC if stamp.reader else SegmentAlgorithmTypeValues.AUTOMATIC

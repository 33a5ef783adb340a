"""The tables of annotations: versions with their lesions, drafts, the steps of review, comments, double readings."""

from plaqueview.annotations.models.annotation import (
    Annotation,
    AnnotationState,
    Evidence,
    FrozenError,
    FrozenRecord,
    Lesion,
)
from plaqueview.annotations.models.comment import Comment
from plaqueview.annotations.models.double_reading import BlindedReading, DoubleReading, DoubleReadingState
from plaqueview.annotations.models.draft import Draft
from plaqueview.annotations.models.review import ReviewStep, Step

__all__ = [
    "Annotation",
    "AnnotationState",
    "BlindedReading",
    "Comment",
    "DoubleReading",
    "DoubleReadingState",
    "Draft",
    "Evidence",
    "FrozenError",
    "FrozenRecord",
    "Lesion",
    "ReviewStep",
    "Step",
]

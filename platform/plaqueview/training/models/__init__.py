"""The tables of training."""

from plaqueview.training.models.snapshot import (
    DatasetSnapshot,
    LabelSource,
    PatientSide,
    Side,
    SnapshotState,
    SnapshotStudy,
)

__all__ = ["DatasetSnapshot", "LabelSource", "PatientSide", "Side", "SnapshotState", "SnapshotStudy"]

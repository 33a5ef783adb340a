"""The tables of training."""

from plaqueview.training.models.run import LIVE_STATES, RunPoint, RunStage, RunState, TrainingRun
from plaqueview.training.models.snapshot import (
    DatasetSnapshot,
    LabelSource,
    PatientSide,
    Side,
    SnapshotState,
    SnapshotStudy,
)
from plaqueview.training.models.verdict import GateVerdict, Promotion, PromotionKind

__all__ = [
    "LIVE_STATES",
    "DatasetSnapshot",
    "GateVerdict",
    "LabelSource",
    "PatientSide",
    "Promotion",
    "PromotionKind",
    "RunPoint",
    "RunStage",
    "RunState",
    "Side",
    "SnapshotState",
    "SnapshotStudy",
    "TrainingRun",
]

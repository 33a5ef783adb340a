"""The tables of training."""

from plaqueview.training.models.evaluation import Evaluation, EvaluationState
from plaqueview.training.models.run import LIVE_STATES, RunPoint, RunStage, RunState, TrainingRun
from plaqueview.training.models.run_watch import RunLine, RunSample
from plaqueview.training.models.schedule import Firing, FiringState, Schedule
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
    "Evaluation",
    "EvaluationState",
    "Firing",
    "FiringState",
    "GateVerdict",
    "LabelSource",
    "PatientSide",
    "Promotion",
    "PromotionKind",
    "RunLine",
    "RunPoint",
    "RunSample",
    "RunStage",
    "RunState",
    "Schedule",
    "Side",
    "SnapshotState",
    "SnapshotStudy",
    "TrainingRun",
]

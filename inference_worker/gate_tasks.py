"""The edge between the gate and the platform: candidate and champion on the test side, of a run or by themselves.

The training worker imports this module with `training_tasks`.
"""

import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from celery import Task, shared_task

from inference_worker.dataset import DatasetError, StudyFiles
from inference_worker.errands import Errand, carry_out
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.labels import LabelError
from inference_worker.prediction import Segmenter
from inference_worker.retraining import RETRAINING_ERRORS, ReadStudy, Tried, link_studies, try_both
from inference_worker.tasks import keep_lease, segmenter_of
from plaqueview.core.errors import UnavailableError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.registry import services as registry
from plaqueview.registry.models import ModelVersion
from plaqueview.training import services as training
from plaqueview.training.models import Side

logger = logging.getLogger(__name__)

UNEXPECTED: Final = "The evaluation failed by an error of ours; the worker's log has it under its number."
EXPECTED_ERRORS: Final = (
    *RETRAINING_ERRORS,
    DatasetError,
    DeviceError,
    LabelError,
    NiftiError,
    UnavailableError,
    WeightsError,
)


@shared_task(name="training.evaluate", bind=True)
def evaluate(self: Task[..., None], evaluation_id: str) -> None:
    """The evaluation has ended in a named state, or is another worker's, or waits for its lease to lapse."""
    worker = f"{self.request.hostname}:{os.getpid()}"
    claim = training.claim_evaluation(evaluation_id=UUID(evaluation_id), worker=worker)
    if claim is None:
        logger.info("evaluation %s has ended or is another worker's", evaluation_id)
        return
    carry_out(
        Errand(
            name=f"evaluation {evaluation_id}",
            work=lambda: _try(claim),
            fail=lambda reason: training.fail_evaluation(claim, reason=reason),
            expected=EXPECTED_ERRORS,
            unexpected=UNEXPECTED,
        )
    )


def _try(claim: training.EvaluationClaim) -> None:
    order, champion = training.order_of_evaluation(claim), champion_of_today()
    name = f"evaluation {claim.evaluation_id}"
    try:
        with keep_lease(lambda: training.renew_evaluation(claim), of=name) as heartbeat:
            candidate, files = segmenter_of(order.model), linked(order.studies, order.folder)
            trials, left_out = trials_of(
                candidate, champion, order.studies, files, on_study=lambda: heartbeat.report(0.0)
            )
        training.complete_evaluation(claim, trials, champion_id=champion.pk, left_out=left_out)
    finally:
        shutil.rmtree(order.folder, ignore_errors=True)


def linked(studies: Sequence[training.OrderedStudy], folder: Path) -> dict[str, StudyFiles]:
    """By name, the files of the studies under the names that the worker reads; the stored ones stay where they are."""
    return link_studies(folder, {name_of(one): (one.flair, one.labels) for one in studies})


def name_of(study: training.OrderedStudy) -> str:
    return f"{study.patient}/{study.study}"


def trials_of(
    candidate: Segmenter,
    champion: ModelVersion,
    studies: Sequence[training.OrderedStudy],
    files: Mapping[str, StudyFiles],
    *,
    on_study: Callable[[], None],
) -> tuple[tuple[training.Trial, ...], tuple[str, ...]]:
    """Both models on those of the studies that are of the test side, and what could not be tried.

    Raises: TrainingError when none could be tried; UnavailableError when the champion's weights are not here.
    """
    on_test_side = {name_of(one): one for one in studies if one.side == Side.TEST}
    test = [files[name] for name in on_test_side]
    tried, left_out = try_both(candidate, segmenter_of(champion), test, on_study=on_study)
    return tuple(_trial(one, on_test_side[one.files.name]) for one in tried), tuple(left_out)


def champion_of_today() -> ModelVersion:
    """Raises: UnavailableError when there is none any more."""
    champion = registry.champion()
    if champion is None:
        raise UnavailableError("there is no champion to be judged against")
    return champion


def _trial(tried: Tried, study: training.OrderedStudy) -> training.Trial:
    return training.Trial(
        patient=tried.files.patient,
        study=tried.files.name,
        scanner=study.scanner,
        site=study.site,
        true_volume_ml=tried.candidate.figures.plaques.true_volume_ml,
        candidate=_figures_of(tried.candidate),
        champion=_figures_of(tried.champion),
    )


def _figures_of(read: ReadStudy) -> training.Figures:
    plaques, classes = read.figures.plaques, read.figures.classes or {}
    return training.Figures(
        dice=plaques.confusion.dice,
        lesion_f1=plaques.lesions.f1,
        active_count=read.active_count,
        seconds=read.seconds,
        processor_seconds=read.processor_seconds,
        calibration_error=read.figures.calibration.error(first_bin=1),
        class_dice={name: one.confusion.dice for name, one in classes.items() if one.true_volume_ml},
        found_by_size=read.found_by_size,
        peak_memory_bytes=read.peak_memory_bytes,
    )

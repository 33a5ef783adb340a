"""What each worker works on, for who may see it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from plaqueview.accounts.models import User
from plaqueview.core.access import Action, require
from plaqueview.core.errors import UnavailableError
from plaqueview.core.workers import Worker, heard_of, waiting_by_queue
from plaqueview.enhancement.models import Enhancement, EnhancementState
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.training.models import Evaluation, EvaluationState, RunState, TrainingRun


@dataclass(frozen=True)
class Errand:
    """What a worker has claimed; `study` is None of a training run, `worker` is its name and process."""

    kind: str
    id: UUID
    study: UUID | None
    stage: str
    since: datetime | None
    worker: str


@dataclass(frozen=True)
class Staff:
    """The workers that were heard of, how many tasks wait in each queue, and what is being worked on."""

    workers: Sequence[Worker]
    waiting: dict[str, int]
    errands: Sequence[Errand]

    def errands_of(self, worker: Worker) -> list[Errand]:
        return [errand for errand in self.errands if errand.worker.rpartition(":")[0] == worker.name]


def read_staff(*, actor: User) -> Staff:
    """Who works on what; errands at other sites than the actor's are not told.

    Raises: DeniedError; UnavailableError when the broker does not answer.
    """
    require(actor, Action.WORKER_READ)
    try:
        return Staff(heard_of(), waiting_by_queue(), list(_errands(actor)))
    except (RedisError, OperationalError, OSError) as error:
        raise UnavailableError("the broker does not answer, so workers cannot be heard") from error


def _errands(actor: User) -> Iterator[Errand]:
    for job in InferenceJob.objects.visible_to(actor).filter(state=JobState.RUNNING):
        yield Errand("inference", job.pk, job.study_id, job.stage, job.started_at, job.worker)
    for one in Registration.objects.visible_to(actor).filter(state=RegistrationState.RUNNING):
        yield Errand("registration", one.pk, one.study_id, "", one.started_at, one.worker)
    for search in Enhancement.objects.visible_to(actor).filter(state=EnhancementState.RUNNING):
        yield Errand("enhancement", search.pk, search.study_id, "", search.started_at, search.worker)
    for run in TrainingRun.objects.visible_to(actor).filter(state=RunState.RUNNING):
        yield Errand("training", run.pk, None, run.stage, run.started_at, run.worker)
    for evaluation in Evaluation.objects.visible_to(actor).filter(state=EvaluationState.RUNNING):
        yield Errand("evaluation", evaluation.pk, None, "", None, evaluation.worker)

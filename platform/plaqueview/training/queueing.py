"""When a run or an evaluation may be announced once more: only when its message must have been lost."""

from plaqueview.core.queue import TRAINING_QUEUE
from plaqueview.core.workers import is_empty
from plaqueview.training.models import Evaluation, EvaluationState, RunState, TrainingRun


def is_idle() -> bool:
    """No worker of the queue is busy, and no message waits in it.

    Runs and evaluations share workers, and one of either takes hours: what waits behind it was heard of, and a message
    for each minute of waiting would be a worker's errand into the void each.
    """
    is_busy = (
        TrainingRun.objects.filter(state=RunState.RUNNING).exists()
        or Evaluation.objects.filter(state=EvaluationState.RUNNING).exists()
    )
    return not is_busy and is_empty(TRAINING_QUEUE)

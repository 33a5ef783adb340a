"""Training's errands on the default queue; the network itself learns in the worker's own tasks."""

from uuid import UUID

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.training import services


@shared_task(name="training.build_snapshot")
def build_snapshot(snapshot_id: str) -> None:
    """The snapshot has ended in a named state, or is another worker's."""
    services.build_snapshot(UUID(snapshot_id))


@shared_task(name="training.fire")
def fire(schedule_id: str) -> None:
    """The schedule has done what is due, or has a line that says why not."""
    services.fire(UUID(schedule_id))


@shared_task(name="training.tend", base=FrequentErrand)
def tend() -> None:
    """What dead workers left is taken up again."""
    services.tend()

"""The errands that the clock asks for every few seconds, whether or not a worker is there."""

from typing import Any, ParamSpec, TypeVar

from celery import Task
from django.conf import settings

from plaqueview.core.remembering import is_first

P = ParamSpec("P")
R = TypeVar("R")


class FrequentErrand(Task[P, R]):
    """Done once in half of its interval: what piled up while no worker was there finds nothing more to do.

    Each of thousands would name the same rows to the workers again. Ruled out: messages that expire. Their end is by
    the clock of the machine that sends them, so that a worker with another time would do no errand, or all of them.
    """

    def __call__(self, *arguments: Any, **names: Any) -> Any:  # Any: as the task has them
        interval_s: float = settings.CELERY_BEAT_SCHEDULE[self.name]["schedule"]
        if self.request.called_directly or is_first(f"errand:{self.name}", within_s=interval_s // 2):
            return self.run(*arguments, **names)
        return None

"""The clock's scheduler: errands go on also when the time of its machine is set back."""

from datetime import datetime
from typing import Any

from celery.beat import event_t
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

# What the library takes off a wait, and what passes between two looks at the time.
TOLERANCE_S = 1.0


class Entry(ModelEntry):  # type: ignore[misc]  # the library has no types
    """An errand that was last run in the future was run just now: nobody waits until that future has come."""

    last_run_at: datetime

    def is_due(self) -> Any:  # Any: a tuple of celery, which has no types
        self.last_run_at = min(self.last_run_at, timezone.now())
        return super().is_due()


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # as above
    """The library keeps each errand's next time and, after the time was set back an hour, sends none for an hour."""

    Entry = Entry
    _heap: list[event_t] | None

    def tick(self, *arguments: Any, **names: Any) -> float:  # Any: celery has no types
        if self._heap and self._waits_too_long(self._heap[0]):
            self._heap = None
            self._initial_read = True  # what is left out for being far from the time that it was
        return float(super().tick(*arguments, **names))

    def _waits_too_long(self, event: event_t) -> bool:
        """Longer than the errand itself says that it has to wait."""
        return bool(event.time > self._when(event.entry, event.entry.is_due()[1]) + TOLERANCE_S)

"""Monitoring's errands on the default queue; the network itself reads in the worker's own task."""

from celery import shared_task

from plaqueview.core.errands import FrequentErrand
from plaqueview.monitoring import services


@shared_task(name="monitoring.tend", base=FrequentErrand)
def tend() -> None:
    """What is to be read in shadow waits for a worker, and what was read is compared."""
    services.tend()

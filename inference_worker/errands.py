"""The one shape of every errand that a worker has claimed: do the work, and end it or say why not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import OperationalError

from plaqueview.core.leases import ClaimLostError

logger = logging.getLogger(__name__)

Errors = tuple[type[Exception], ...]


@dataclass(frozen=True)
class Errand:
    """A claimed row. `name` is what logs call it, with its id, never whose it is.

    `work` ends the row, `fail` ends it with a reason that a user reads. `expected` are the errors whose text is such a
    reason; any other is an error of ours, for which `unexpected` stands. `ended` say that the row is no longer this
    worker's.
    """

    name: str
    work: Callable[[], object]
    fail: Callable[[str], object]
    expected: Errors
    unexpected: str
    ended: Errors = (ClaimLostError,)


def carry_out(errand: Errand) -> None:
    """The row has ended in a named state, or is no longer this worker's, or waits for its lease to lapse."""
    try:
        errand.work()
    except errand.ended as end:
        logger.info("%s: nothing was written: %s", errand.name, end)
    except errand.expected as error:
        _fail(errand, str(error))
    except OperationalError:
        raise  # the database is away: the lease lapses, and the work is done again
    except Exception:
        _fail(errand, errand.unexpected)
        raise


def _fail(errand: Errand, reason: str) -> None:
    try:
        errand.fail(reason)
    except errand.ended as end:
        logger.info("%s: its failure was not written: %s", errand.name, end)

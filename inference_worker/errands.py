"""The one shape of every errand that a worker has claimed: do the work, and end it or say why not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import OperationalError

from plaqueview.core.errors import AwayError
from plaqueview.core.leases import ClaimLostError

logger = logging.getLogger(__name__)

Errors = tuple[type[Exception], ...]


@dataclass(frozen=True)
class Errand:
    """A claimed row. `name` is what logs call it, with its id, never whose it is.

    `work` ends the row, `fail` ends it with a reason that a user reads, and `put_back` has it wait again with one,
    where what the work needs comes back by itself. `expected` are the errors whose text is such a reason; any other is
    an error of ours, for which `unexpected` stands. `ended` say that the row is no longer this worker's.
    """

    name: str
    work: Callable[[], object]
    fail: Callable[[str], object]
    expected: Errors
    unexpected: str
    put_back: Callable[[str], object] | None = None
    ended: Errors = (ClaimLostError,)


def carry_out(errand: Errand) -> None:
    """The row has ended in a named state, or is no longer this worker's, or waits for its lease to lapse."""
    try:
        errand.work()
    except errand.ended as end:
        logger.info("%s: nothing was written: %s", errand.name, end)
    except AwayError as error:
        _tell(errand, errand.put_back or errand.fail, str(error))
    except errand.expected as error:
        _tell(errand, errand.fail, str(error))
    except OperationalError:
        raise  # the database is away: the lease lapses, and the work is done again
    except Exception:
        _tell(errand, errand.fail, errand.unexpected)
        raise


def _tell(errand: Errand, write: Callable[[str], object], reason: str) -> None:
    try:
        write(reason)
    except errand.ended as end:
        logger.info("%s: what became of it was not written: %s", errand.name, end)

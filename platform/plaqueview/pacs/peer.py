"""What a peer says, or that it says nothing: one table of words for DIMSE and DICOMweb.

An answer is shown to users and kept: it has no text of the peer's own, which may name a patient.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import models

from plaqueview.core.destinations import ForbiddenAddressError


class PeerProblem(models.TextChoices):
    REFUSED = "refused", "the connection was refused"
    UNKNOWN_HOST = "unknown_host", "the host name is not known"
    FORBIDDEN = "forbidden", "this installation does not connect to such an address"
    UNREACHABLE = "unreachable", "the host cannot be reached"
    TIMED_OUT = "timed_out", "no answer in time"
    TLS = "tls", "no trust by TLS"
    UNKNOWN_AE = "unknown_ae", "the peer does not know one of the AE titles"
    REJECTED = "rejected", "the peer rejects the association"
    ABORTED = "aborted", "the peer ended the association"
    UNAUTHORIZED = "unauthorized", "the peer does not accept the credentials"
    NOT_DICOMWEB = "not_dicomweb", "there is no DICOMweb at the address"
    BROKEN_SECRET = "broken_secret", "the secrets have to be entered again"
    UNSUPPORTED = "unsupported", "the peer does not take such objects"
    NOT_STORED = "not_stored", "the peer refused some of the objects"
    NOT_COMMITTED = "not_committed", "the peer did not commit itself to keep the objects"
    NOT_SENT = "not_sent", "the peer did not send all of the study"


# The peer is there and answers, but does not want or have these objects: another transfer may fare better.
ABOUT_THE_OBJECTS: Final = {
    PeerProblem.UNSUPPORTED,
    PeerProblem.NOT_STORED,
    PeerProblem.NOT_COMMITTED,
    PeerProblem.NOT_SENT,
}

# Source: PS3.4 Table B.2-1, PS3.7 C.5; statuses without a row are said by number alone.
DUPLICATE: Final = 0x0111
WORDS_OF_STATUS: Final = {
    0x0110: "processing failure",
    0x0112: "no such instance",
    0x0115: "invalid argument",
    0x0117: "invalid SOP instance",
    0x0119: "the instance is of another class",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0xA700: "out of resources",
    0xA900: "the dataset does not match its SOP class",
    0xC000: "cannot understand the dataset",
    0xC122: "transfer syntax not supported",
}
WARNINGS: Final = {0xB000, 0xB006, 0xB007}


class PeerError(Exception):
    """The peer could not be asked, or said no. `answer` is for a person to read."""

    def __init__(self, problem: PeerProblem, answer: str) -> None:
        super().__init__(answer)
        self.problem, self.answer = problem, answer

    @property
    def is_about_peer(self) -> bool:
        """Whatever else is sent now would fail as well."""
        return self.problem not in ABOUT_THE_OBJECTS


class PartlySentError(PeerError):
    """The peer sent of the study what it can; `missing` names the others, as far as it does so itself."""

    def __init__(self, answer: str, missing: Sequence[str] = ()) -> None:
        super().__init__(PeerProblem.NOT_SENT, answer)
        self.missing = missing


@dataclass(frozen=True)
class Outgoing:
    """One instance on the disk, with what has to be known before it is sent."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    path: Path


# Called between instances while a peer takes them.
Progress = Callable[[], None]
# So much of the transfer's lease, which `Progress` renews, the next of them may take.
LONGEST_STORE: Final = 0.9


@dataclass
class Tally:
    """What the peer said of each instance; a duplicate is one that it has, by the same UID and so with the same bytes.

    Sources: PS3.4 Table B.2-1; PS3.18 Table 10.5.3-1, which has the same numbers.
    """

    total: int
    refusals: list[int]
    warnings: int = 0

    def add(self, status: int) -> None:
        if status in WARNINGS:
            self.warnings += 1
        elif status not in {0x0000, DUPLICATE}:
            self.refusals.append(status)

    def answer(self) -> str:
        """Raises: PeerError when an instance was refused."""
        stored = f"the peer stored {self.total - len(self.refusals)} of {self.total} instances"
        if self.refusals:
            reasons = ", ".join(sorted({words_of_status(status) for status in self.refusals}))
            raise PeerError(PeerProblem.NOT_STORED, f"{stored}; it refused the others with {reasons}")
        return f"{stored}, {self.warnings} with a warning" if self.warnings else stored


def words_of_status(status: int) -> str:
    """A status in hexadecimal with its meaning; the last digits of A7xx, A9xx and Cxxx are the peer's own."""
    family = status & 0xFF00 if status & 0xF000 == 0xA000 else status & 0xF000
    words = WORDS_OF_STATUS.get(status) or WORDS_OF_STATUS.get(family)
    return f"status 0x{status:04X} ({words})" if words else f"status 0x{status:04X}"


def error_of(cause: BaseException, address: str) -> PeerError:
    """Why the connection was not made, in words, from the error or from what caused it."""
    known = filter(None, map(_known, _chain(cause)))
    problem, words = next(known, (PeerProblem.UNREACHABLE, "the host cannot be reached"))
    return PeerError(problem, f"{address}: {words}")


def _known(error: BaseException) -> tuple[PeerProblem, str] | None:
    match error:
        case ForbiddenAddressError():
            found = PeerProblem.FORBIDDEN, f"not connected, since {error}"
        case ssl.SSLError():
            reason = getattr(error, "verify_message", "") or (error.reason or "no handshake").replace("_", " ")
            found = PeerProblem.TLS, f"no trust by TLS: {reason.lower()}"
        case socket.gaierror():
            found = PeerProblem.UNKNOWN_HOST, "the host name is not known"
        case ConnectionRefusedError():
            found = PeerProblem.REFUSED, "the connection was refused; nothing listens there"
        case TimeoutError():
            found = PeerProblem.TIMED_OUT, "no answer in time"
        case ConnectionError():
            found = PeerProblem.ABORTED, "the peer ended the connection"
        case _:
            return None
    return found


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

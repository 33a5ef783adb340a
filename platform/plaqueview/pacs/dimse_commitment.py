"""Storage commitment with a peer: asking it to keep what was sent, and telling it what we keep. Source: PS3.4 J."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pynetdicom import build_context, build_role, evt
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs import commitment
from plaqueview.pacs.commitment import CommitmentReport, MalformedCommitmentError
from plaqueview.pacs.dimse_peer import associated, status_of
from plaqueview.pacs.failures import SUCCESS
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import PeerError, PeerProblem, words_of_status

TIMEOUT_S, LONGEST_S = 20, 45.0
# A peer that keeps little answers at once, by the same association; any other by one of its own, to our listener.
PATIENCE_S: Final = 2.0


def ask(node: RemoteNode, transaction_uid: str, classes_by_uid: Mapping[str, str]) -> CommitmentReport | None:
    """The peer knows what it is asked to keep; its report, if it came at once by the same association.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    heard = _Ear(transaction_uid)
    contexts = [build_context(StorageCommitmentPushModel)]
    handlers: list[Any] = [  # Any: the library's union of tuples
        (evt.EVT_N_EVENT_REPORT, heard.listen),
        (evt.EVT_PDU_SENT, heard.notice_answer),
    ]
    exchange = associated(node, contexts, timeout_s=TIMEOUT_S, deadline=Deadline(LONGEST_S), handlers=handlers)
    with _where_offered(node), exchange as association:
        status, _ = association.send_n_action(
            commitment.request_of(transaction_uid, classes_by_uid),
            commitment.REQUEST_COMMITMENT,
            StorageCommitmentPushModel,
            StorageCommitmentPushModelInstance,
        )
        code = status_of(status, node)
        if code != SUCCESS:
            detail = f"{node.address}: the peer does not take the request to commit: {words_of_status(code)}"
            raise PeerError(PeerProblem.NOT_COMMITTED, detail)
        heard.is_over.wait(PATIENCE_S)
    return heard.report


@contextmanager
def _where_offered(node: RemoteNode) -> Iterator[None]:
    try:
        yield
    except PeerError as error:
        if error.problem != PeerProblem.UNSUPPORTED:
            raise
        detail = f"{node.address}: the peer has the objects, and offers no storage commitment"
        raise PeerError(PeerProblem.UNSUPPORTED, detail) from error


def tell(node: RemoteNode, report: CommitmentReport) -> None:
    """The peer that asked has its report, by an association of ours in which we are the provider.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    context = build_context(StorageCommitmentPushModel)
    roles = [build_role(StorageCommitmentPushModel, scp_role=True)]
    deadline = Deadline(LONGEST_S)
    with associated(node, [context], timeout_s=TIMEOUT_S, deadline=deadline, roles=roles) as association:
        status, _ = association.send_n_event_report(
            commitment.event_of(report),
            report.event_type,
            StorageCommitmentPushModel,
            StorageCommitmentPushModelInstance,
        )
        status_of(status, node)


class _Ear:
    """Waits for the one report of a transaction."""

    def __init__(self, transaction_uid: str) -> None:
        self._transaction_uid = transaction_uid
        self.is_over = threading.Event()
        self.report: CommitmentReport | None = None

    def listen(self, event: evt.Event) -> tuple[int, None]:
        try:
            report = commitment.report_of(event.event_information)
        except MalformedCommitmentError:
            return commitment.PROCESSING_FAILURE, None
        if report.transaction_uid != self._transaction_uid:
            return commitment.INVALID_ARGUMENT, None
        self.report = report
        return SUCCESS, None

    def notice_answer(self, event: evt.Event) -> None:
        """The peer has our answer to its report: a release that overtakes it leaves both sides waiting."""
        if self.report is not None and isinstance(event.pdu, P_DATA_TF):
            self.is_over.set()

"""Storage commitment as its provider: whoever sent us instances asks whether we keep them. Source: PS3.4 J.

An instance is acknowledged once its bytes are flushed and its row is committed, so the answer is what the database and
the disk say. It goes by an association of our own to the node of the caller's title; who is no node of ours could not
be told, and is refused. An answer that reaches nobody is lost: the caller asks again, as for any silence.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import DatabaseError, close_old_connections, connections
from pydicom.dataset import Dataset
from pynetdicom import evt

from plaqueview.accounts.models import Site
from plaqueview.core.storage import stored_size
from plaqueview.pacs import commitment, commitments, dimse_commitment
from plaqueview.pacs.commitment import CommitmentReport, MalformedCommitmentError
from plaqueview.pacs.failures import SUCCESS
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.peer import PeerError
from plaqueview.studies.models import Instance

logger = logging.getLogger(__name__)

THREADS: Final = 4
AT_ONCE: Final = 500
# Before each attempt to reach the caller's node.
PAUSES_S: Final = (0.0, 10.0, 60.0)


class CommitmentProvider:
    """Answers requests of callers of the listener, and hears what peers say of ours, until it is closed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._is_over = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="commitment")

    def act(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """For EVT_N_ACTION: the request is taken, and its report follows."""
        if event.action_type != commitment.REQUEST_COMMITMENT:
            return commitment.NO_SUCH_ACTION, None
        try:
            uid, wanted = commitment.requested(event.action_information)
        except MalformedCommitmentError as error:
            logger.warning("%s", error)
            return commitment.INVALID_ARGUMENT, None
        try:
            node = _node_of(self._site, event.assoc.requestor.ae_title)
        finally:
            connections.close_all()  # the library runs each association in a thread of its own
        if node is None:
            logger.warning("a caller asked for storage commitment and is no node of ours that could be told")
            return commitment.NOT_AUTHORIZED, None
        self._threads.submit(self._report, node, uid, wanted)
        return SUCCESS, None

    def hear(self, event: evt.Event) -> tuple[int, Dataset | None]:
        """For EVT_N_EVENT_REPORT: what a peer says of a request of ours."""
        if event.event_type not in {commitment.ALL_COMMITTED, commitment.FAILURES_EXIST}:
            return commitment.NO_SUCH_EVENT, None
        try:
            report = commitment.report_of(event.event_information)
            is_known = commitments.hear(report, ae_title=event.assoc.requestor.ae_title)
        except (MalformedCommitmentError, DatabaseError) as error:
            logger.warning("a report of storage commitment was refused: %s", type(error).__name__)
            return commitment.PROCESSING_FAILURE, None
        finally:
            connections.close_all()  # the library runs each report in a thread of its own
        return (SUCCESS if is_known else commitment.INVALID_ARGUMENT), None

    def close(self) -> None:
        self._is_over.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _report(self, node: RemoteNode, transaction_uid: str, wanted: Mapping[str, str]) -> None:
        close_old_connections()
        try:
            self._tell(node, looked_up(self._site, transaction_uid, wanted))
        except Exception:
            logger.exception("a request for storage commitment was not answered")
            raise
        finally:
            connections.close_all()

    def _tell(self, node: RemoteNode, report: CommitmentReport) -> None:
        for pause_s in PAUSES_S:
            if self._is_over.wait(pause_s):
                return
            try:
                dimse_commitment.tell(node, report)
            except (PeerError, OSError) as error:
                logger.warning("node %s was not told of its storage commitment: %s", node.pk, type(error).__name__)
            else:
                return


def looked_up(site: Site, transaction_uid: str, wanted: Mapping[str, str]) -> CommitmentReport:
    """Which of the instances the site keeps: by row, class, and bytes of the right number on the disk."""
    kept, failed = {}, {}
    found = {uid: (sop_class, is_whole) for uid, sop_class, is_whole in _rows(site, list(wanted))}
    for uid, sop_class in wanted.items():
        known_class, is_whole = found.get(uid, ("", False))
        if not known_class:
            failed[uid] = (sop_class, commitment.NO_SUCH_INSTANCE)
        elif known_class != sop_class:
            failed[uid] = (sop_class, commitment.CLASS_CONFLICT)
        elif not is_whole:
            failed[uid] = (sop_class, commitment.PROCESSING_FAILURE)
        else:
            kept[uid] = sop_class
    return CommitmentReport(transaction_uid, kept, failed)


def _rows(site: Site, uids: list[str]) -> Iterator[tuple[str, str, bool]]:
    for some in (uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE)):
        rows = Instance.objects.filter(site=site, sop_instance_uid__in=some).order_by()
        for uid, sop_class, key, size in rows.values_list(
            "sop_instance_uid", "sop_class_uid", "storage_key", "size_bytes"
        ):
            yield uid, sop_class, stored_size(key) == size


def _node_of(site: Site, ae_title: str) -> RemoteNode | None:
    """The one node of the site that bears the title; of several none, for nobody says which of them asked."""
    nodes = RemoteNode.objects.filter(site=site, kind=NodeKind.DIMSE, ae_title=ae_title, is_active=True)[:2]
    return nodes[0] if len(nodes) == 1 else None

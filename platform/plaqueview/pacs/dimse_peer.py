"""A peer by DIMSE: C-ECHO and C-STORE as a client. Source: PS3.4 A and B."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.conf import settings
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE, SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import
from pynetdicom.transport import AssociationSocket

from plaqueview.core.destinations import address_of
from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import (
    LONGEST_STORE,
    Outgoing,
    PeerError,
    PeerProblem,
    Progress,
    Tally,
    error_of,
    words_of_status,
)
from plaqueview.pacs.received_files import forget_half_an_instance
from plaqueview.pacs.tls import context_of

CONNECT_TIMEOUT_S: Final = 4
ECHO_TIMEOUT_S, LONGEST_ECHO_S = 5, 10.0
STORE_TIMEOUT_S: Final = 30
FAREWELL_S: Final = 2
CUT_AGAIN_S: Final = 0.1

# What the peer says of a rejection, by (source, diagnostic). Source: PS3.8 Table 9-21.
UNKNOWN_TITLES: Final = {
    (1, 3): "the peer does not know our AE title {ours}",
    (1, 7): "the peer does not answer to the AE title {theirs}",
}
BUSY: Final = {(3, 1), (3, 2)}


def echo(node: RemoteNode) -> str:
    """The peer's answer to C-ECHO, in words.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    begin = time.monotonic()
    contexts, deadline = [build_context(Verification)], Deadline(LONGEST_ECHO_S)
    with associated(node, contexts, timeout_s=ECHO_TIMEOUT_S, deadline=deadline) as association:
        status = status_of(association.send_c_echo(), node)
    if status != 0:
        raise PeerError(PeerProblem.REJECTED, f"{node.address}: C-ECHO: {words_of_status(status)}")
    return f"answered C-ECHO in {(time.monotonic() - begin) * 1000:.0f} ms"


def store(node: RemoteNode, instances: Sequence[Outgoing], progress: Progress) -> str:
    """The peer has the instances, by one association; its answer in words.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    tally = Tally(len(instances), [])
    contexts, deadline = _contexts_of(instances), Deadline(LONGEST_STORE * settings.TRANSFER_LEASE_S)
    with associated(node, contexts, timeout_s=STORE_TIMEOUT_S, deadline=deadline) as association:
        accepted = {context.abstract_syntax for context in association.accepted_contexts}
        if lacking := {one.sop_class_uid for one in instances} - accepted:
            detail = f"{node.address}: the peer takes no objects of SOP class {', '.join(sorted(lacking))}"
            raise PeerError(PeerProblem.UNSUPPORTED, detail)
        for one in instances:
            if not association.is_established:  # the library raises for this what it raises for anything
                raise PeerError(PeerProblem.ABORTED, f"{node.address}: the peer ended the association between objects")
            tally.add(status_of(association.send_c_store(dcmread(one.path)), node))
            progress()
            deadline.put_off()
    return tally.answer()


def _contexts_of(instances: Sequence[Outgoing]) -> list[PresentationContext]:
    """One for each SOP class, in the transfer syntax that was written or in the one that everybody takes."""
    syntaxes = {one.sop_class_uid: one.transfer_syntax_uid for one in instances}
    return [
        build_context(sop_class, list(dict.fromkeys((syntax, ExplicitVRLittleEndian, ImplicitVRLittleEndian))))
        for sop_class, syntax in syntaxes.items()
    ]


class _Entity(AE):
    """Remembers its sockets: the library leaves open those that never connected, or that the peer has ended."""

    def __init__(self, ae_title: str) -> None:
        super().__init__(ae_title=ae_title)
        self.opened: list[socket.socket] = []
        self.is_cut = False
        self._line: AssociationSocket | None = None

    def _create_socket(self, *arguments: Any) -> AssociationSocket:  # Any: the library's own
        self._line = super()._create_socket(*arguments)
        self.remember()
        return self._line

    def remember(self) -> socket.socket | None:
        """The socket of the line, which by TLS becomes another one."""
        connection = self._line.socket if self._line is not None else None
        if connection is not None and connection not in self.opened:
            self.opened.append(connection)
        return connection

    def cut(self) -> None:
        """Whatever is read or written ends."""
        self.is_cut = True
        connection = self.remember()
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def send_at_once(self, _event: evt.Event) -> None:
        """Nagle's algorithm would hold each request back until the peer's delayed acknowledgement."""
        connection = self.remember()
        if connection is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def associated(
    node: RemoteNode,
    contexts: list[PresentationContext],
    *,
    timeout_s: float,
    deadline: Deadline,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[Any] = (),  # Any: the library's union of tuples
) -> Iterator[Association]:
    """An association with the node, released afterwards.

    The time-out is for each message, the deadline for the whole exchange.

    Raises: PeerError when none came about, or when the time is over.
    """
    entity = _Entity(ae_title=node.calling_ae_title or settings.DICOM_AE_TITLE)
    entity.connection_timeout = CONNECT_TIMEOUT_S
    entity.acse_timeout = ECHO_TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = timeout_s
    begin = time.monotonic()
    with _in_time(entity, node, deadline):
        association = _associate(entity, node, contexts, roles, handlers)
        try:
            if not association.is_established:
                waited_s = time.monotonic() - begin
                raise _late(node) if entity.is_cut else _refusal(node, association, waited_s=waited_s)
            yield association
        finally:
            if association.is_established:
                association.release()
            for connection in entity.opened:
                connection.close()
            if association.dul.is_alive():
                association.dul.join(FAREWELL_S)
            forget_half_an_instance(association)


@contextmanager
def _in_time(entity: _Entity, node: RemoteNode, deadline: Deadline) -> Iterator[None]:
    """The entity's lines are cut once the time is over.

    The library's time-outs are for each message, and who drips within one holds it for ever, even when it aborts.

    Raises: PeerError, of the time, where what was cut ended in a PeerError.
    """
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(max(deadline.rest_s, CUT_AGAIN_S)):
            if deadline.rest_s <= 0:
                entity.cut()

    watcher = threading.Thread(target=watch, daemon=True, name="DeadlineOfAssociation")
    watcher.start()
    try:
        yield
    except PeerError as error:
        if entity.is_cut:
            raise _late(node) from error
        raise
    finally:
        is_over.set()
        watcher.join()


def _late(node: RemoteNode) -> PeerError:
    return PeerError(PeerProblem.TIMED_OUT, f"{node.address}: no answer in time")


def _associate(
    entity: _Entity,
    node: RemoteNode,
    contexts: list[PresentationContext],
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation],
    handlers: Sequence[Any],
) -> Association:
    try:
        return entity.associate(
            address_of(node.host),
            node.port or 0,
            contexts,
            ae_title=node.ae_title,
            ext_neg=list(roles),
            tls_args=(context_of(node), node.host) if node.uses_tls else None,
            evt_handlers=[(evt.EVT_CONN_OPEN, entity.send_at_once), *handlers],
        )
    except OSError as error:  # the name is looked up before anything else
        raise error_of(error, node.address) from error


def _refusal(node: RemoteNode, association: Association, *, waited_s: float) -> PeerError:
    """Why no association came about."""
    if answer := _rejecting(association):
        return _rejection(node, association, answer)
    if association.rejected_contexts:
        detail = f"{node.address}: the peer takes none of what was to be sent"
        return PeerError(PeerProblem.UNSUPPORTED, detail)
    if problem := _problem_of_connection(node):
        return problem
    if waited_s >= ECHO_TIMEOUT_S:
        detail = f"{node.address}: connected, and no answer to the association within {ECHO_TIMEOUT_S} s"
        return PeerError(PeerProblem.TIMED_OUT, detail)
    hint = "" if node.uses_tls else "; it may want TLS"
    return PeerError(PeerProblem.ABORTED, f"{node.address}: the peer ended the connection without an answer{hint}")


def _problem_of_connection(node: RemoteNode) -> PeerError | None:
    """What a connection of our own finds wrong, or nothing: the library says of a failure only that there was one."""
    try:
        with socket.create_connection((address_of(node.host), node.port), timeout=CONNECT_TIMEOUT_S) as connection:
            if node.uses_tls:
                context_of(node).wrap_socket(connection, server_hostname=node.host).close()
    except OSError as error:
        return error_of(error, node.address)
    return None


def _rejecting(association: Association) -> A_ASSOCIATE | None:
    """The peer's rejection. One that came at once the library takes for a lost connection, and leaves in its queue."""
    answer = association.acceptor.primitive if association.is_rejected else association.dul.peek_next_pdu()
    return answer if isinstance(answer, A_ASSOCIATE) and answer.result else None


def _rejection(node: RemoteNode, association: Association, answer: A_ASSOCIATE) -> PeerError:
    reason = (answer.result_source or 0, answer.diagnostic or 0)
    if reason in UNKNOWN_TITLES:
        words = UNKNOWN_TITLES[reason].format(ours=association.requestor.ae_title, theirs=node.ae_title)
        return PeerError(PeerProblem.UNKNOWN_AE, f"{node.address}: {words}")
    words = "has too many associations now" if reason in BUSY else "rejects the association without a reason"
    return PeerError(PeerProblem.REJECTED, f"{node.address}: the peer {words}")


def status_of(answer: object, node: RemoteNode) -> int:
    """Raises: PeerError when no status came: the peer aborted, or took too long."""
    status = getattr(answer, "Status", None)
    if status is None:
        raise PeerError(PeerProblem.ABORTED, f"{node.address}: the association ended, or timed out, before the answer")
    return int(status)

"""A peer by DIMSE: C-ECHO and C-STORE as a client. Source: PS3.4 A and B."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import Outgoing, PeerError, PeerProblem, Progress, Tally, error_of, words_of_status
from plaqueview.pacs.received_files import forget_half_an_instance
from plaqueview.pacs.tls import context_of

CONNECT_TIMEOUT_S: Final = 4
ECHO_TIMEOUT_S: Final = 5
STORE_TIMEOUT_S: Final = 30
FAREWELL_S: Final = 2

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
    with associated(node, [build_context(Verification)], timeout_s=ECHO_TIMEOUT_S) as association:
        status = status_of(association.send_c_echo(), node)
    if status != 0:
        raise PeerError(PeerProblem.REJECTED, f"{node.address}: C-ECHO: {words_of_status(status)}")
    return f"answered C-ECHO in {(time.monotonic() - begin) * 1000:.0f} ms"


def store(node: RemoteNode, instances: Sequence[Outgoing], progress: Progress) -> str:
    """The peer has the instances, by one association; its answer in words.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    tally = Tally(len(instances), [])
    with associated(node, _contexts_of(instances), timeout_s=STORE_TIMEOUT_S) as association:
        accepted = {context.abstract_syntax for context in association.accepted_contexts}
        if lacking := {one.sop_class_uid for one in instances} - accepted:
            detail = f"{node.address}: the peer takes no objects of SOP class {', '.join(sorted(lacking))}"
            raise PeerError(PeerProblem.UNSUPPORTED, detail)
        for one in instances:
            if not association.is_established:  # the library raises for this what it raises for anything
                raise PeerError(PeerProblem.ABORTED, f"{node.address}: the peer ended the association between objects")
            tally.add(status_of(association.send_c_store(dcmread(one.path)), node))
            progress()
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

    def _create_socket(self, *arguments: Any) -> AssociationSocket:  # Any: the library's own
        created = super()._create_socket(*arguments)
        if created.socket is not None:
            self.opened.append(created.socket)
        return created


@contextmanager
def associated(
    node: RemoteNode,
    contexts: list[PresentationContext],
    *,
    timeout_s: float,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[Any] = (),  # Any: the library's union of tuples
) -> Iterator[Association]:
    """An association with the node, released afterwards. Raises: PeerError when none came about."""
    entity = _Entity(ae_title=node.calling_ae_title or settings.DICOM_AE_TITLE)
    entity.connection_timeout = CONNECT_TIMEOUT_S
    entity.acse_timeout = ECHO_TIMEOUT_S
    entity.dimse_timeout = entity.network_timeout = timeout_s
    begin = time.monotonic()
    association = _associate(entity, node, contexts, roles, handlers)
    try:
        if not association.is_established:
            raise _refusal(node, association, waited_s=time.monotonic() - begin)
        yield association
    finally:
        if association.is_established:
            association.release()
        for connection in entity.opened:
            connection.close()
        if association.dul.is_alive():
            association.dul.join(FAREWELL_S)
        forget_half_an_instance(association)


def _associate(
    entity: AE,
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
            evt_handlers=[(evt.EVT_CONN_OPEN, _send_at_once), *handlers],
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


def _send_at_once(event: evt.Event) -> None:
    """Nagle's algorithm would hold each request back until the peer's delayed acknowledgement."""
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

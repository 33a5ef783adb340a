"""Any node, whichever protocol it speaks."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from plaqueview.core.sealing import SealBrokenError
from plaqueview.pacs import dicomweb_peer, dicomweb_retrieval, dimse_commitment, dimse_peer, dimse_retrieval
from plaqueview.pacs.commitment import CommitmentReport
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.peer import Outgoing, PeerError, PeerProblem, Progress, error_of
from plaqueview.pacs.remote_studies import Basket, RemoteStudies, StudyQuery

ECHO: Final[dict[str, Callable[[RemoteNode], str]]] = {
    NodeKind.DIMSE: dimse_peer.echo,
    NodeKind.DICOMWEB: dicomweb_peer.echo,
}
STORE: Final[dict[str, Callable[[RemoteNode, Sequence[Outgoing], Progress], str]]] = {
    NodeKind.DIMSE: dimse_peer.store,
    NodeKind.DICOMWEB: dicomweb_peer.store,
}
FIND: Final[dict[str, Callable[[RemoteNode, StudyQuery, int], RemoteStudies]]] = {
    NodeKind.DIMSE: dimse_retrieval.find,
    NodeKind.DICOMWEB: dicomweb_retrieval.find,
}
RETRIEVE: Final[dict[str, Callable[[RemoteNode, str, Basket], str]]] = {
    NodeKind.DIMSE: dimse_retrieval.retrieve,
    NodeKind.DICOMWEB: dicomweb_retrieval.retrieve,
}

Answer = TypeVar("Answer")


def echo(node: RemoteNode) -> str:
    """The peer answers; what it said, in words.

    Raises: PeerError, which says what went wrong.
    """
    return _asked(node, lambda: ECHO[node.kind](node))


def store(node: RemoteNode, instances: Sequence[Outgoing], progress: Progress) -> str:
    """The peer has every instance; what it said, in words. `progress` is called while it takes them.

    Raises: PeerError, which says what went wrong.
    """
    return _asked(node, lambda: STORE[node.kind](node, instances, progress))


def ask_commitment(
    node: RemoteNode, transaction_uid: str, classes_by_uid: Mapping[str, str]
) -> CommitmentReport | None:
    """The DIMSE node's peer is asked to keep the instances; its report, if it came at once.

    Raises: PeerError, which says what went wrong.
    """
    return _asked(node, lambda: dimse_commitment.ask(node, transaction_uid, classes_by_uid))


def find(node: RemoteNode, query: StudyQuery, limit: int) -> RemoteStudies:
    """The peer's studies that match, no more than `limit`.

    Raises: PeerError, which says what went wrong.
    """
    return _asked(node, lambda: FIND[node.kind](node, query, limit))


def retrieve(node: RemoteNode, study_instance_uid: str, basket: Basket) -> str:
    """Every instance of the peer's study was put into the basket, or came by our own listener; how, in words.

    Raises: PeerError, which says what went wrong; and whatever the basket raises.
    """
    return _asked(node, lambda: RETRIEVE[node.kind](node, study_instance_uid, basket))


def _asked(node: RemoteNode, ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except SealBrokenError as error:
        raise PeerError(PeerProblem.BROKEN_SECRET, str(error)) from error
    except ssl.SSLError as error:
        raise error_of(error, node.address) from error

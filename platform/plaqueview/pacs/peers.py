"""Any node, whichever protocol it speaks."""

import ssl
from collections.abc import Callable, Sequence
from typing import Final

from plaqueview.pacs import dicomweb_peer, dimse_peer
from plaqueview.pacs.models import NodeKind, RemoteNode
from plaqueview.pacs.peer import Outgoing, PeerError, PeerProblem, Progress, error_of
from plaqueview.pacs.sealing import SealBrokenError

ECHO: Final[dict[str, Callable[[RemoteNode], str]]] = {
    NodeKind.DIMSE: dimse_peer.echo,
    NodeKind.DICOMWEB: dicomweb_peer.echo,
}
STORE: Final[dict[str, Callable[[RemoteNode, Sequence[Outgoing], Progress], str]]] = {
    NodeKind.DIMSE: dimse_peer.store,
    NodeKind.DICOMWEB: dicomweb_peer.store,
}


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


def _asked(node: RemoteNode, ask: Callable[[], str]) -> str:
    try:
        return ask()
    except SealBrokenError as error:
        raise PeerError(PeerProblem.BROKEN_SECRET, str(error)) from error
    except ssl.SSLError as error:
        raise error_of(error, node.address) from error

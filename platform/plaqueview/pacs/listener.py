"""The C-STORE listener: instances by DIMSE, kept as the peer encoded them, and committed to. Source: PS3.4 B and J.

Associations run in threads of their own and hand their files to one keeper, which commits what has gathered meanwhile
in one transaction: four senders cost little more than one.
"""

import logging
import socket
import threading
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]  # made at import
from pynetdicom.transport import ThreadedAssociationServer

from plaqueview.accounts.models import Site
from plaqueview.core.errors import UnavailableError
from plaqueview.pacs.commitment_provider import CommitmentProvider
from plaqueview.pacs.failures import CANNOT_UNDERSTAND, COERCED, OUT_OF_RESOURCES, STATUS_OF_REFUSAL, SUCCESS
from plaqueview.pacs.listener_tls import listener_context
from plaqueview.pacs.listener_watch import Watch
from plaqueview.pacs.received_files import close_when_whole, forget_half_an_instance, to_disk
from plaqueview.pacs.senders import deidentified_caller
from plaqueview.studies import services
from plaqueview.studies.models import FileOutcome
from plaqueview.studies.services import Arrival, Received, Source

logger = logging.getLogger(__name__)

ANYONE = "*"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # a PACS calls from elsewhere, and only named callers are answered
LARGEST_BATCH = 64
MOST_ASSOCIATIONS = 32
LARGEST_PDU_BYTES = 256 * 1024
TIMEOUT_S = 60
BACKLOG = 64
ACCEPT_S = 0.05
FAREWELL_S = 2.0  # within it an association that was turned away has ended by itself
STORED = {FileOutcome.ACCEPTED, FileOutcome.DUPLICATE}


@dataclass
class _Batch:
    """Files that are kept together, and what will become of them, in their order."""

    paths: list[Path] = field(default_factory=list)
    outcomes: "Future[list[Received]]" = field(default_factory=Future)


class Keeper:
    """Keeps files of many associations in one thread, as many in one transaction as have come alike meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gathering: dict[Arrival, _Batch] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")

    def keep(self, path: Path, arrival: Arrival) -> Received:
        """What became of the file; returns once it is on the disk and its row is committed.

        Raises: UnavailableError, also when it has closed; DatabaseError.
        """
        with self._lock:
            batch = self._gathering.get(arrival)
            if batch is None or len(batch.paths) >= LARGEST_BATCH:
                batch = self._begin(arrival)
            position = len(batch.paths)
            batch.paths.append(path)
        return batch.outcomes.result()[position]

    def _begin(self, arrival: Arrival) -> _Batch:
        """A batch that gathers from now on; one that nobody will keep is shown to nobody, who would wait for ever."""
        batch = _Batch()
        try:
            batch.outcomes = self._thread.submit(self._keep, batch, arrival)
        except RuntimeError as error:
            raise UnavailableError("the listener is ending") from error
        self._gathering[arrival] = batch
        return batch

    def settle(self, study_ids: set[UUID]) -> None:
        """The studies are settled in a moment, after what is being kept; once it has closed, by the clock."""
        with suppress(RuntimeError):
            self._thread.submit(services.settle_soon, study_ids).add_done_callback(_log_failure)

    def close(self) -> None:
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=True)

    def _keep(self, batch: _Batch, arrival: Arrival) -> list[Received]:
        with self._lock:
            if self._gathering.get(arrival) is batch:
                del self._gathering[arrival]
        close_old_connections()
        return services.receive_all(paths=batch.paths, arrival=arrival)


def _log_failure(future: "Future[None]") -> None:
    error = future.exception()
    if error is not None:
        logger.warning("studies wait for their quiet period: %s", type(error).__name__)


def listening_at(port: int) -> socket.socket:
    """The socket at which listeners accept, of one process or several; 0 is a free port. Raises: OSError."""
    return socket.create_server((bind_address(), port), backlog=BACKLOG)


class _Server(ThreadedAssociationServer):
    """Accepts at a socket that listens already, and at which other processes may accept as well."""

    def __init__(self, *words: Any, listening: socket.socket, **named: Any) -> None:  # Any: the library's own
        self._listening = listening
        super().__init__(*words, **named)

    def server_bind(self) -> None:
        self.socket = cast(socket.socket, self.socket)
        self.socket.close()
        self.socket = self._listening
        # Whoever comes for a caller that another process was faster to take goes on waiting for the next.
        self.socket.settimeout(ACCEPT_S)
        self.server_address = self.socket.getsockname()

    def server_activate(self) -> None:
        """It listens."""

    def server_close(self) -> None:
        """Not shut down, as the library would: that ends it for the others too."""
        self._listening.close()


class Listener:
    """Answers C-ECHO, C-STORE and storage commitment for the site until it is stopped.

    At `listening`, whose port others may share; without it, at a free port.
    """

    def __init__(self, *, site: Site, listening: socket.socket | None = None) -> None:
        self._site = site
        self._keeper = Keeper()
        self._arrivals: WeakKeyDictionary[Association, Arrival] = WeakKeyDictionary()
        self._commitments = CommitmentProvider(site)
        self._studies: dict[int, set[UUID]] = defaultdict(set)
        self._entity = application_entity()
        self._watch = Watch(self._entity, timeout_s=TIMEOUT_S)
        listening = listening or listening_at(0)
        self._server = self._entity.make_server(
            listening.getsockname(),
            ssl_context=listener_context(),
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _send_at_once),
                (evt.EVT_PDU_RECV, self._watch.hear),
                (evt.EVT_PDU_SENT, self._watch.hear),
                (evt.EVT_DIMSE_RECV, close_when_whole),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_C_ECHO, _echo),
                (evt.EVT_N_ACTION, self._commitments.act),
                (evt.EVT_N_EVENT_REPORT, self._commitments.hear),
                (evt.EVT_RELEASED, self._end),
                (evt.EVT_ABORTED, self._end),
                (evt.EVT_CONN_CLOSE, self._end),
                (evt.EVT_CONN_CLOSE, _give_up_place),
                (evt.EVT_ABORTED, _forget_half_an_instance),
                (evt.EVT_CONN_CLOSE, _forget_half_an_instance),
            ],
            server_class=_Server,
            listening=listening,
        )
        self._receiving = ExitStack()
        self._receiving.enter_context(to_disk)
        self._entity._servers.append(self._server)  # noqa: SLF001  # as `start_server` does, and `shutdown` expects
        threading.Thread(target=self._server.serve_forever, daemon=True, name="AcceptorServer").start()
        self._watch.start()
        self.address = address_of(listening)

    def stop(self) -> None:
        """No association is open and everything that was acknowledged is kept.

        Nobody is let in before the open ones are aborted, as the library does in the other order: whoever came between
        kept the process alive, and was told that nothing could be kept any more.
        """
        self._server.shutdown()
        for association in self._entity.active_associations:
            if association.is_established:  # of another the library fails in a thread of its own when it aborts it
                association.abort()
            association.join(FAREWELL_S)
        self._watch.stop()
        self._commitments.close()
        self._keeper.close()
        self._receiving.close()

    def _store(self, event: evt.Event) -> int:
        try:
            received = self._keeper.keep(event.dataset_path, self._arrival(event.assoc))
        except (UnavailableError, DatabaseError) as error:
            logger.warning("an instance was refused for want of resources: %s", type(error).__name__)
            return OUT_OF_RESOURCES
        if received.study_id is not None:
            self._studies[id(event.assoc)].add(received.study_id)
        if received.outcome in STORED:
            return COERCED if received.sent_sop_instance_uid else SUCCESS
        logger.warning("instance %s was refused: %s", received.sop_instance_uid or "without a UID", received.reason)
        return STATUS_OF_REFUSAL[received.refusal] if received.refusal else CANNOT_UNDERSTAND

    def _arrival(self, association: Association) -> Arrival:
        """How instances of this association are kept; a rule of its node holds from its next association on."""
        known = self._arrivals.get(association)
        if known is None:
            try:
                node_id = deidentified_caller(self._site, association.requestor.ae_title)
            finally:
                connections.close_all()  # the library runs each association in a thread of its own
            known = Arrival(self._site, Source.C_STORE, deidentified_node_id=node_id)
            self._arrivals[association] = known
        return known

    def _end(self, event: evt.Event) -> None:
        studies = self._studies.pop(id(event.assoc), None)
        if studies:
            self._keeper.settle(studies)


def application_entity() -> AE:
    """All storage classes in all transfer syntaxes, for the callers that the department has named."""
    entity = AE(ae_title=settings.DICOM_AE_TITLE)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(cast(str, context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
    entity.add_supported_context(Verification)
    # Both roles: a caller asks us to commit, and a peer that we asked reports by an association of its own.
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    entity.require_called_aet = True
    callers = settings.DICOM_CALLING_AE_TITLES
    entity.require_calling_aet = [] if ANYONE in callers else callers
    entity.maximum_associations = MOST_ASSOCIATIONS
    entity.maximum_pdu_size = LARGEST_PDU_BYTES
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = TIMEOUT_S
    return entity


def address_of(listening: socket.socket) -> tuple[str, int]:
    """Host and port."""
    host, port = listening.getsockname()[:2]
    return str(host), int(port)


def bind_address() -> str:
    """Where no caller is named, only this machine's own may call."""
    return EVERY_ADDRESS if settings.DICOM_CALLING_AE_TITLES else "127.0.0.1"


def _send_at_once(event: evt.Event) -> None:
    """Nagle's algorithm holds each answer back until the peer's delayed acknowledgement: a third of the speed."""
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _give_up_place(event: evt.Event) -> None:
    """Who hangs up before asking for anything leaves at once, as do checks of health and scans of ports.

    The library would count each for another minute among the most that may be there, and turn modalities away for it.
    """
    if event.assoc.requestor.primitive is None:
        event.assoc.dul.to_user_queue.put(None)  # as when nothing came within its time


def _forget_half_an_instance(event: evt.Event) -> None:
    forget_half_an_instance(event.assoc)


def _echo(_event: evt.Event) -> int:
    return SUCCESS

"""Studies at a peer by DIMSE: C-FIND, and C-GET, or C-MOVE to our own listener. Source: PS3.4 C."""

import time
from collections.abc import Iterator
from typing import Any, Final, cast

from django.conf import settings
from pydicom.dataset import Dataset
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs.dimse_peer import associated, status_of
from plaqueview.pacs.get_contexts import DOCUMENTS, IMAGES, MOST_CONTEXTS, storage_contexts
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import PartlySentError, PeerError, PeerProblem, words_of_status
from plaqueview.pacs.received_files import close_when_whole, to_disk
from plaqueview.pacs.remote_studies import RETURNED, UID, Basket, RemoteStudies, StudyQuery, remote_study, texts_of

# Who searches waits for the answer, and the web server's proxy for a minute.
FIND_TIMEOUT_S, LONGEST_FIND_S = 20, 45.0
# So long a peer may go on when it is told that nobody wants more of its answers.
FAREWELL_S: Final = 2.0
# Between two messages of a retrieval; shorter than its lease.
RETRIEVE_TIMEOUT_S: Final = 120

# Source: PS3.4 Tables C.4-1, C.4-2 and C.4-3.
PENDING: Final = {0xFF00, 0xFF01}
SUCCESS, PARTLY, CANCELLED = 0x0000, 0xB000, 0xFE00
OUT_OF_RESOURCES: Final = 0xA700
UNKNOWN_DESTINATION: Final = 0xA801
MESSAGE_ID: Final = 1


def find(node: RemoteNode, query: StudyQuery, limit: int) -> RemoteStudies:
    """The peer's studies that match, no more than `limit`.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    matches = _matches(node, _identifier(query), most=limit + 1)
    studies = [study for match in matches if (study := remote_study(match)) is not None]
    return RemoteStudies(studies[:limit], has_more=len(matches) > limit)


def _matches(node: RemoteNode, identifier: Dataset, *, most: int) -> list[Dataset]:
    """What the peer answers, no more than so many."""
    model = StudyRootQueryRetrieveInformationModelFind
    matches: list[Dataset] = []
    contexts, deadline = [build_context(model)], Deadline(LONGEST_FIND_S)
    with associated(node, contexts, timeout_s=FIND_TIMEOUT_S, deadline=deadline) as association:
        responses = association.send_c_find(identifier, model, msg_id=MESSAGE_ID)
        for status, match in responses:
            code = status_of(status, node)
            if code in PENDING and match is not None:
                matches.append(match)
                if len(matches) == most:
                    association.send_c_cancel(MESSAGE_ID, query_model=model)
                    _leave(association, responses)
                    break
            elif code not in {*PENDING, SUCCESS, CANCELLED}:
                raise PeerError(PeerProblem.REJECTED, f"{node.address}: C-FIND: {words_of_status(code)}")
    return matches


def _leave(association: Association, responses: Iterator[tuple[Dataset, Dataset | None]]) -> None:
    """The peer, told to stop, has done so; or it is left."""
    association.dimse_timeout = FAREWELL_S
    ends_at = time.monotonic() + FAREWELL_S
    for status, _ in responses:
        if status.get("Status") not in PENDING:
            return
        if time.monotonic() > ends_at:
            break
    association.abort()


def retrieve(node: RemoteNode, study_instance_uid: str, basket: Basket) -> str:
    """Every instance of the study was put into the basket, or our own listener has it; how it came, in words.

    By C-GET where the peer offers it; by C-MOVE where it does not, or offers it and then sends nothing.

    Raises: PeerError, ssl.SSLError, SealBrokenError, and what the basket raises.
    """
    receiver = _Receiver(basket, Deadline(RETRIEVE_TIMEOUT_S))
    with to_disk:
        try:
            return _got(node, study_instance_uid, receiver)
        except PeerError:
            if receiver.offers_move and not receiver.count:
                return _moved(node, study_instance_uid, receiver)
            raise


def _got(node: RemoteNode, uid: str, receiver: "_Receiver") -> str:
    get, move = StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove
    handlers: list[Any] = [  # Any: the library's union of tuples
        (evt.EVT_DIMSE_RECV, close_when_whole),
        (evt.EVT_C_STORE, receiver.take),
    ]
    classes = _classes_at(node, uid) or [*IMAGES, *DOCUMENTS]
    contexts = [build_context(get), build_context(move)]
    storage = storage_contexts(classes, most=MOST_CONTEXTS - len(contexts))
    roles = [build_role(one, scp_role=True) for one in {cast(str, context.abstract_syntax) for context in storage}]
    receiver.deadline.put_off()
    with associated(
        node,
        contexts + storage,
        timeout_s=RETRIEVE_TIMEOUT_S,
        deadline=receiver.deadline,
        roles=roles,
        handlers=handlers,
    ) as association:
        offered = {context.abstract_syntax for context in association.accepted_contexts}
        receiver.offers_move = move in offered
        if get not in offered:
            detail = f"{node.address}: the peer offers neither C-GET nor C-MOVE of studies"
            raise PeerError(PeerProblem.UNSUPPORTED, detail)
        _follow(association, node, association.send_c_get(_study(uid), get, msg_id=MESSAGE_ID), receiver)
    if receiver.offers_move and not receiver.count:
        raise PeerError(PeerProblem.NOT_SENT, f"{node.address}: the peer sent nothing by C-GET")
    return "by C-GET"


def _classes_at(node: RemoteNode, study_instance_uid: str) -> list[str]:
    """What the study is made of; nothing where the peer does not say. Source: PS3.4 Table C.6-5.

    Asked of this one study only: an archive may have to look into each of its instances for it.
    """
    identifier = _study(study_instance_uid)
    identifier.SOPClassesInStudy = ""
    try:
        matches = _matches(node, identifier, most=1)
    except PeerError as error:
        if error.problem not in {PeerProblem.UNSUPPORTED, PeerProblem.REJECTED}:
            raise
        return []
    return sorted({uid for match in matches for uid in texts_of(match, "SOPClassesInStudy") if UID.fullmatch(uid)})


def _moved(node: RemoteNode, uid: str, receiver: "_Receiver") -> str:
    if node.site.name != settings.DEFAULT_SITE_NAME:
        detail = f"the peer offers C-MOVE only, and our listener keeps for the site {settings.DEFAULT_SITE_NAME}"
        raise PeerError(PeerProblem.UNSUPPORTED, f"{node.address}: {detail}")
    move, title = StudyRootQueryRetrieveInformationModelMove, settings.DICOM_AE_TITLE
    contexts, deadline = [build_context(move)], receiver.deadline
    deadline.put_off()
    with associated(node, contexts, timeout_s=RETRIEVE_TIMEOUT_S, deadline=deadline) as association:
        _follow(association, node, association.send_c_move(_study(uid), title, move, msg_id=MESSAGE_ID), receiver)
    return f"by C-MOVE to {title}"


def _follow(
    association: Association,
    node: RemoteNode,
    responses: Iterator[tuple[Dataset, Dataset | None]],
    receiver: "_Receiver",
) -> None:
    """The last response has come and says success. Raises: PeerError; what the basket raised meanwhile."""
    for status, identifier in responses:
        receiver.deadline.put_off()
        receiver.require_welcome(association)
        code = status_of(status, node)
        if code in PENDING:
            receiver.hear_of(status)
            receiver.require_welcome(association)
        elif code != SUCCESS:
            raise _incomplete(node, code, status, identifier or Dataset())


def _incomplete(node: RemoteNode, code: int, status: Dataset, identifier: Dataset) -> PeerError:
    failed = status.get("NumberOfFailedSuboperations") or 0
    if code == UNKNOWN_DESTINATION:
        detail = f"{node.address}: the peer does not know where {settings.DICOM_AE_TITLE} is; name our listener there"
        return PeerError(PeerProblem.UNKNOWN_AE, detail)
    if code == PARTLY:
        missing = [uid for uid in texts_of(identifier, "FailedSOPInstanceUIDList") if UID.fullmatch(uid)]
        return PartlySentError(f"{node.address}: {failed} instances of the study did not come", missing)
    return PeerError(PeerProblem.NOT_SENT, f"{node.address}: the peer does not send the study: {words_of_status(code)}")


class _Receiver:
    """Takes instances within the association; what the basket raises waits until the library has answered."""

    def __init__(self, basket: Basket, deadline: Deadline) -> None:
        self.basket, self.deadline = basket, deadline
        self.count = 0
        self.offers_move = False
        self.failure: Exception | None = None

    def take(self, event: evt.Event) -> int:
        path = event.dataset_path
        self.deadline.put_off()
        self.count += 1
        try:
            if self.failure is None:
                self.basket.put(path)
                return SUCCESS
        except Exception as error:  # noqa: BLE001  # raised again by whoever follows the responses
            self.failure = error
        finally:
            path.unlink(missing_ok=True)
            self.deadline.put_off()
        return OUT_OF_RESOURCES

    def hear_of(self, status: Dataset) -> None:
        """The numbers of a pending response. Source: PS3.4 C.4.3.1.3."""
        counts = [
            status.get(f"NumberOf{one}Suboperations") or 0 for one in ("Remaining", "Completed", "Failed", "Warning")
        ]
        try:
            self.basket.expect(sum(counts))
            self.basket.look()
        except Exception as error:  # noqa: BLE001  # as above
            self.failure = error

    def require_welcome(self, association: Association) -> None:
        """Raises: what the basket raised; the association is then over."""
        if self.failure is not None:
            association.abort()
            raise self.failure


def _identifier(query: StudyQuery) -> Dataset:
    identifier = _level()
    for keyword in RETURNED:
        setattr(identifier, keyword, "" if keyword != "NumberOfStudyRelatedInstances" else None)
    for keyword, value in query.attributes().items():
        setattr(identifier, keyword, value)
    if not all(value.isascii() for value in query.attributes().values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    return identifier


def _study(uid: str) -> Dataset:
    identifier = _level()
    identifier.StudyInstanceUID = uid
    return identifier


def _level() -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    return identifier

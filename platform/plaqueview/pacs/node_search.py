"""Searching a node for studies: by whom, by what, and what the audit keeps of it."""

from dataclasses import dataclass, fields, replace
from typing import Final
from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, UnavailableError
from plaqueview.pacs import peers
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.nodes import read_node
from plaqueview.pacs.peer import PeerError
from plaqueview.pacs.remote_studies import UID, RemoteStudy, StudyQuery
from plaqueview.studies.models import Study

MOST_FOUND: Final = 100
TEXTS: Final = ("patient_id", "patient_name", "accession_number", "modality")
WILDCARDS: Final = set("*?")


@dataclass(frozen=True)
class Hit:
    """A study at the node, and our own study of the same UID where there is one."""

    study: RemoteStudy
    kept: UUID | None


@dataclass(frozen=True)
class Hits:
    """The newest first; `has_more` says that the node has more than are shown."""

    hits: list[Hit]
    has_more: bool


def search_node(*, node_id: UUID, query: StudyQuery, actor: User) -> Hits:
    """The studies at the node that match; the search is on record, without what was searched for.

    Raises: DeniedError, NotFoundError; InvalidError for a query that asks for everything, or that no peer understands;
    ConflictError when the node is not in use; UnavailableError, with the peer's answer, when it could not be asked.
    """
    require(actor, Action.NODE_SEARCH)
    node = read_node(node_id=node_id, actor=actor)
    if not node.is_active:
        raise ConflictError("the node is not in use; an administrator can activate it")
    asked = _usable(query)
    try:
        found = peers.find(node, asked, MOST_FOUND)
    except PeerError as error:
        raise UnavailableError(error.answer, members={"problem": error.problem.value}) from error
    _record(node, asked, actor, count=len(found.studies))
    newest = sorted(found.studies, key=_moment, reverse=True)
    kept = kept_studies(node, [study.study_instance_uid for study in newest])
    return Hits([Hit(study, kept.get(study.study_instance_uid)) for study in newest], found.has_more)


def kept_studies(node: RemoteNode, uids: list[str]) -> dict[str, UUID]:
    """Our own studies of these UIDs at the node's site."""
    kept = Study.objects.filter(site=node.site_id, study_instance_uid__in=uids).order_by()
    return dict(kept.values_list("study_instance_uid", "pk"))


def _usable(query: StudyQuery) -> StudyQuery:
    """The query as a peer is asked: a name without wildcards is one that begins so, its parts in the order given.

    Raises: InvalidError.
    """
    wrong = {one.name: "needs no backslash" for one in fields(query) if "\\" in str(getattr(query, one.name))}
    if query.study_instance_uid and not UID.fullmatch(query.study_instance_uid):
        wrong["study_instance_uid"] = "needs digits and full stops, 64 at most"
    begin, end = query.study_date_from, query.study_date_to
    if begin and end and begin > end:
        wrong["study_date_to"] = "needs to be no earlier than study_date_from"
    if wrong:
        raise InvalidError("the search cannot be sent as it is", fields=wrong)
    texts = [getattr(query, name) for name in ("patient_id", "patient_name", "accession_number")]
    if not any(text.strip("*? ") for text in texts) and not query.study_instance_uid and begin is None:
        detail = "a patient ID, name, accession number, study UID or first date"
        raise InvalidError(f"the search needs {detail}", fields={"patient_id": f"one of {detail}"})
    name = query.patient_name.strip()
    if name and not WILDCARDS & set(name):
        name = "*".join([*name.replace("^", " ").split(), ""])
    return replace(query, patient_name=name)


def _moment(study: RemoteStudy) -> tuple[int, str]:
    return study.study_date.toordinal() if study.study_date else 0, study.study_instance_uid


def _record(node: RemoteNode, query: StudyQuery, actor: User, *, count: int) -> None:
    """Which keys were searched by, never what for: the audit names no patient."""
    audit.record(
        EventKind.NODE_SEARCHED,
        actor=actor,
        object_type="node",
        object_id=node.pk,
        site_id=node.site_id,
        details={"address": node.address, "keys": ", ".join(query.attributes()), "found": count},
    )

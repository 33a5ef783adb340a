"""Priors by rule: for each new study a node is asked for the patient's earlier ones, which are fetched."""

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.errors import UnavailableError
from plaqueview.core.leases import backoff_s
from plaqueview.inbox.models import Fetch, PriorSearch
from plaqueview.inbox.requests import requested
from plaqueview.pacs import peers
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.node_search import MOST_FOUND, kept_studies
from plaqueview.pacs.peer import PeerError, PeerProblem
from plaqueview.pacs.remote_studies import RemoteStudy, StudyQuery
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.studies.models import Series, Study

logger = logging.getLogger(__name__)

AT_ONCE: Final = 100

# Of these a peer would make a search for other patients. Source: PS3.4 C.2.2.2.
NO_KEY: Final = frozenset("*?\\")


@dataclass(frozen=True)
class PriorRule:
    """The newest `count` MR studies before the study, of the last `years` (0: any), described by one of `words`."""

    count: int
    years: int
    words: tuple[str, ...]

    def first_day(self, study_date: date) -> date | None:
        return study_date - relativedelta(years=self.years) if self.years else None

    def is_met_by(self, prior: RemoteStudy) -> bool:
        """A prior that does not say what it shows, or its modalities, counts as one of the head."""
        description = folded(prior.study_description)
        is_named = not self.words or not description or any(word in description for word in self.words)
        return is_named and (not prior.modalities or "MR" in prior.modalities)


def rule_of(node: RemoteNode) -> PriorRule:
    words = (folded(word) for word in node.prior_words.split(","))
    return PriorRule(node.prior_count, node.prior_years, tuple(filter(None, words)))


def request_by_rule() -> int:
    """Each study that came since a node's rule was made is searched for there, once; returns how many are new."""
    nodes = RemoteNode.objects.filter(is_active=True, fetches_priors_since__isnull=False)
    return sum(_request_for(node) for node in nodes)


@transaction.atomic
def _request_for(node: RemoteNode) -> int:
    now = clock.now()
    new = [PriorSearch(node=node, study=study, next_attempt_at=now) for study in new_studies(node)[:AT_ONCE]]
    PriorSearch.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def new_studies(node: RemoteNode) -> QuerySet[Study]:
    """Whole studies with MR at the node's site that came since the rule, but for those fetched as priors."""
    known = PriorSearch.objects.filter(node=node, study=OuterRef("pk"))
    as_prior = Fetch.objects.filter(
        node__site=node.site_id, study_instance_uid=OuterRef("study_instance_uid"), prior_of__isnull=False
    )
    since = Study.objects.filter(site=node.site_id, received_at__gte=node.fetches_priors_since, is_settled=True)
    named = since.filter(deidentification=None)  # no peer knows a pseudonym
    has_mr = Exists(Series.objects.filter(study=OuterRef("pk"), modality="MR"))
    return named.filter(has_mr, ~Exists(known), ~Exists(as_prior)).order_by("received_at", "pk")


def due_searches() -> QuerySet[PriorSearch]:
    return PriorSearch.objects.filter(ended_at=None, next_attempt_at__lte=clock.now(), node__is_active=True)


def search_due(*, node_id: UUID, random: Random) -> None:
    """The node was asked for the priors of each study that waited for it, as far as its peer answered."""
    due = due_searches().filter(node=node_id).select_related("node", "study__patient").order_by("next_attempt_at", "pk")
    for search in due[:AT_ONCE]:
        if _is_mine(search) and not _searched(search, random):
            return


def _is_mine(search: PriorSearch) -> bool:
    """Nobody else asks meanwhile; whoever dies over it leaves it to the next one after the lease."""
    until = clock.now() + timedelta(seconds=settings.FETCH_LEASE_S)
    same = PriorSearch.objects.filter(pk=search.pk, ended_at=None, next_attempt_at=search.next_attempt_at)
    search.attempts += 1
    return bool(same.update(next_attempt_at=until, attempts=search.attempts))


def _searched(search: PriorSearch, random: Random) -> bool:
    """False when the peer did not answer: then others need not ask it either."""
    try:
        query = _query(search.study, rule_of(search.node))
    except UnavailableError as error:  # the patient's names are sealed under a key that is not here
        _put_off_or_end(search, PeerError(PeerProblem.NOT_SENT, error.detail), random)
        return True
    if query is None:
        _end(search, "the study has no date, or no patient ID that can be searched for")
        return True
    try:
        found = peers.find(search.node, query, MOST_FOUND)
    except PeerError as error:
        logger.warning("prior search %s: attempt %s: %s", search.pk, search.attempts, error.problem)
        _put_off_or_end(search, error, random)
        return False
    _fetch(search, found.studies)
    return True


def _query(study: Study, rule: PriorRule) -> StudyQuery | None:
    study.patient.require_opened()
    patient_id = study.patient.patient_id
    if study.study_date is None or not patient_id.strip() or NO_KEY & set(patient_id):
        return None
    return StudyQuery(
        patient_id=patient_id,
        study_date_from=rule.first_day(study.study_date),
        study_date_to=study.study_date - timedelta(days=1),
        modality="MR",
    )


@transaction.atomic
def _fetch(search: PriorSearch, found: list[RemoteStudy]) -> None:
    """The priors that the rule wants and that are not here are on their way."""
    node, study = search.node, search.study
    RemoteNode.objects.select_for_update().get(pk=node.pk)
    wanted = wanted_priors(rule_of(node), study, found)
    kept = kept_studies(node, [prior.study_instance_uid for prior in wanted])
    missing = [prior for prior in wanted if prior.study_instance_uid not in kept]
    for prior in missing:
        requested(Fetch(node=node, prior_of=study, **_description(prior)))
    _end(search, f"{len(found)} found, {len(wanted)} wanted by the rule, {len(missing)} fetched")


def wanted_priors(rule: PriorRule, study: Study, found: list[RemoteStudy]) -> list[RemoteStudy]:
    """The newest first; a peer may answer with more than it was asked for, so that each is held to the question."""
    day = study.study_date
    if day is None:
        return []
    first = rule.first_day(day) or date.min
    earlier = [
        (prior.study_date, prior)
        for prior in found
        if prior.study_date is not None and first <= prior.study_date < day and _is_of(study.patient, prior)
    ]
    newest = sorted(earlier, key=lambda one: (one[0], one[1].study_instance_uid), reverse=True)
    return [prior for _day, prior in newest if rule.is_met_by(prior)][: rule.count]


def _is_of(patient: Patient, prior: RemoteStudy) -> bool:
    """An archive of several hospitals has one ID for several people; what either side does not say parts nobody."""
    is_parted = any(
        here and there and here != there
        for here, there in (
            (patient.issuer_of_patient_id, prior.issuer_of_patient_id),
            (patient.birth_date, prior.patient_birth_date),
        )
    )
    return prior.patient_id == patient.patient_id and not is_parted


def _description(prior: RemoteStudy) -> dict[str, object]:
    return {
        "study_instance_uid": prior.study_instance_uid,
        "study_date": prior.study_date,
        "study_description": prior.study_description[:256],
    }


def _put_off_or_end(search: PriorSearch, error: PeerError, random: Random) -> None:
    if search.attempts >= settings.FETCH_MAX_ATTEMPTS:
        _end(search, error.answer)
        return
    wait_s = backoff_s(search.attempts, first_s=settings.FETCH_RETRY_S, random=random)
    search.answer, search.next_attempt_at = error.answer[:500], clock.now() + timedelta(seconds=wait_s)
    search.save()


@transaction.atomic
def _end(search: PriorSearch, answer: str) -> None:
    search.answer, search.ended_at = answer[:500], clock.now()
    search.save()
    audit.record(
        EventKind.NODE_SEARCHED,
        actor=None,
        object_type="node",
        object_id=search.node_id,
        site_id=search.node.site_id,
        details={"address": search.node.address, "priors_of": str(search.study_id), "answer": search.answer},
    )

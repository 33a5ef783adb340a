"""Removing what came by mistake, as long as nobody and nothing has read it (docs/decisions/0036-removal.md).

Rows go at once; bytes are set aside with the commit and deleted later, for another sender may bring the same ones just
then: `core.aside` says how.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import models, router, transaction
from django.db.models import ProtectedError
from django.db.models.deletion import Collector

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core.access import Action, require
from plaqueview.core.aside import settle_set_aside
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.letting_go import let_go, let_go_again
from plaqueview.core.stored_keys import kept_among
from plaqueview.patients import services as patients
from plaqueview.studies.models import Instance, Series, Study, StudyState
from plaqueview.studies.settling import settle_soon
from plaqueview.studies.summaries import announce_study

# Longer than any transaction that keeps instances.
SET_ASIDE_FOR_S: Final = 3600.0


@dataclass(frozen=True)
class Removed:
    """What is no longer here."""

    instances: int
    series: int
    size_bytes: int
    is_study_gone: bool


@transaction.atomic
def remove(*, actor: User, study_uid: str, series_uid: str = "", instance_uid: str = "") -> Removed:
    """The instances below these UIDs are gone, with the series and the study that have none left.

    What stays of the study is settled anew.

    Raises: DeniedError; NotFoundError; ConflictError when several of the actor's sites keep the study, or when
    something was made of it, which names what, or its patient is held.
    """
    require(actor, Action.STUDY_DELETE)
    study = _locked(actor, study_uid)
    patients.require_no_hold(study.patient)
    instances = list(_below(study, series_uid, instance_uid))
    if not instances:
        raise NotFoundError("no such study, series or instance, or none that you may see")
    if dependents := dependents_of(study):
        raise ConflictError(f"the study stays as it is: {', '.join(dependents)} depend on it")
    keys = [one.storage_key for one in instances]
    keys += [one.headers_key for one in study.series.select_for_update() if one.headers_key]
    Instance.objects.filter(pk__in=[one.pk for one in instances]).delete()
    emptied = list(study.series.filter(instances=None))
    keys += [one.source_key for one in emptied if one.source_key]
    is_gone = study.series.count() == len(emptied)
    removed = Removed(len(instances), len(emptied), sum(one.size_bytes for one in instances), is_gone)
    _shrink(study, emptied, removed)
    _record(actor, study, removed)
    announce_study(study)
    let_go(keys)
    return removed


def dependents_of(study: Study) -> list[str]:
    """What the database would not let go: rows of any app that refer to the study or a series of it, by their names.

    A new app that refers to studies is heard here without being known.
    """
    found: set[type[models.Model]] = set()
    for one in (study, *study.series.all()):
        collector = Collector(using=router.db_for_write(type(one)), origin=one)
        try:
            collector.collect([one])
        except ProtectedError as error:
            found |= {type(row) for row in error.protected_objects}
    names = (one._meta.verbose_name_plural for one in found - {Instance, Series})  # noqa: SLF001  # Django's public name
    return sorted(map(str, names))


def forget_removed() -> int:
    """Bytes that were set aside long enough are deleted, or lie in their place again if somebody brought them anew."""
    let_go_again()
    return settle_set_aside(wanted_among=kept_among, older_than_s=SET_ASIDE_FOR_S)


def _locked(actor: User, study_uid: str) -> Study:
    studies = list(
        Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(study_instance_uid=study_uid)[:2]
    )
    if not studies:
        raise NotFoundError("no such study, series or instance, or none that you may see")
    if len(studies) > 1:
        raise ConflictError(f"study {study_uid} is kept at several of your sites; use an account of one site")
    return studies[0]


def _below(study: Study, series_uid: str, instance_uid: str) -> models.QuerySet[Instance]:
    found = study.instances.order_by()
    if series_uid:
        found = found.filter(series__series_instance_uid=series_uid)
    return found.filter(sop_instance_uid=instance_uid) if instance_uid else found


def _shrink(study: Study, emptied: Sequence[Series], removed: Removed) -> None:
    """The study's rows say what is left of it, and are gone with the last instance."""
    if study.flair_series_id in {one.pk for one in emptied}:
        study.flair_series = study.flair_overridden_by = None
    Series.objects.filter(pk__in=[one.pk for one in emptied]).delete()
    if removed.is_study_gone:
        patient = study.patient
        Study.objects.filter(pk=study.pk).delete()
        patients.remove_without_studies(patient)
        return
    for series in study.series.all():
        series.instance_count, series.headers_key = series.instances.count(), ""
        series.save(update_fields=["instance_count", "headers_key", "modified"])
    study.instance_count, study.series_count = study.instances.count(), study.series.count()
    study.state, study.state_reason, study.is_settled = StudyState.RECEIVING, "", False
    study.save()
    transaction.on_commit(partial(settle_soon, {study.pk}))


def _record(actor: User, study: Study, removed: Removed) -> None:
    record(
        EventKind.STUDY_REMOVED,
        actor=actor,
        object_type="study",
        object_id=study.pk,
        site_id=study.site_id,
        details={
            "instances": removed.instances,
            "series": removed.series,
            "size_bytes": removed.size_bytes,
            "is_study_gone": removed.is_study_gone,
        },
    )

"""Fills a demo's database with approved studies: `python -m tests.bench.support_snapshot COUNT` in its environment.

Each is a copy of one that was imported with its labels, with its own patient and identifiers; it names the same stored
bytes, so that a snapshot reads, measures and writes as much of each as of any other.
"""

import sys
from typing import Any, TypeVar
from uuid import uuid4

import django

django.setup()

from django.db import models, transaction  # noqa: E402  (needs the app registry)

from plaqueview.annotations.models import Annotation, AnnotationState  # noqa: E402  (needs the app registry)
from plaqueview.studies.models import Instance, Series  # noqa: E402  (needs the app registry)

Row = TypeVar("Row", bound=models.Model)


def fill(count: int) -> None:
    """So many studies have an approved version."""
    approved = list(Annotation.objects.filter(state=AnnotationState.APPROVED).select_related("study__patient"))
    if not approved:
        raise RuntimeError("no study is approved, need one to copy")
    for at in range(count - len(approved)):
        copy_of(approved[at % len(approved)])


@transaction.atomic
def copy_of(annotation: Annotation) -> None:
    """One more study with the same pixels and labels, of another patient."""
    patient = like(annotation.study.patient, patient_id=f"B{uuid4().hex[:12]}")
    study = like(annotation.study, patient_id=patient.pk, study_instance_uid=new_uid(), flair_series_id=None)
    series = like(Series.objects.get(pk=annotation.series_id), study_id=study.pk, series_instance_uid=new_uid())
    for instance in Instance.objects.filter(series=annotation.series_id):
        like(instance, study_id=study.pk, series_id=series.pk, sop_instance_uid=new_uid())
    version = like(annotation, study_id=study.pk, series_id=series.pk, base_id=None)
    for lesion in annotation.lesions.all():
        like(lesion, annotation_id=version.pk)


def like(row: Row, **changed: Any) -> Row:  # Any: fields of any model
    """A row of its own that says the same but for what is changed."""
    kept = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.generated}
    copy = type(row)(**kept | {"id": uuid4()} | changed)
    copy.save(force_insert=True)
    return copy


def new_uid() -> str:
    return f"2.25.{uuid4().int}"


if __name__ == "__main__":
    fill(int(sys.argv[1]))

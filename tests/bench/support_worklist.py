"""Fills a demo's database with many studies: `python -m tests.bench.support_worklist COUNT` in its environment.

Each is a copy of a study that the network has read, with its own patient, identifiers, date and counts, so that a page
carries what a real page carries.
"""

import sys
from datetime import date, timedelta
from uuid import uuid4

import django

django.setup()

from plaqueview.patients.models import Patient  # noqa: E402  (needs the app registry)
from plaqueview.studies.models import Study, StudyState  # noqa: E402  (needs the app registry)


def fill(count: int) -> None:
    """`count` more studies of as many patients are in the worklist."""
    template = Study.objects.filter(state=StudyState.READY).first()
    if template is None:
        raise RuntimeError("no study is ready, need one to copy")
    patients = [
        Patient(
            site_id=template.site_id, patient_id=f"B{at:06d}", name=f"Bench^{at:06d}", search_text=f"bench {at:06d}"
        )
        for at in range(count)
    ]
    Patient.objects.bulk_create(patients, batch_size=500)
    Study.objects.bulk_create([copy_of(template, patient, at) for at, patient in enumerate(patients)], batch_size=500)


def copy_of(template: Study, patient: Patient, at: int) -> Study:
    fields = {field.attname: getattr(template, field.attname) for field in Study._meta.concrete_fields}
    return Study(
        **fields
        | {
            "id": uuid4(),
            "patient_id": patient.pk,
            "patient_name": patient.name,
            "search_text": patient.search_text,
            "study_instance_uid": f"2.25.{uuid4().int}",
            "study_date": date(2020, 1, 1) + timedelta(days=at % 2000),
            "received_at": template.received_at - timedelta(minutes=at),
            "flair_series_id": None,
            "active_count": at % 17,
            "inactive_count": at % 41,
        }
    )


if __name__ == "__main__":
    fill(int(sys.argv[1]))

"""What an installation that has predictions needs, before readers come."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from plaqueview.annotations.models import Annotation
from plaqueview.studies.models import Study
from tests.annotations.scenes import make_desk
from tests.inference.scenes import make_study

pytestmark = pytest.mark.django_db


def test_old_predictions_are_unconfirmed_and_the_worklist_says_so():
    migration = import_module("plaqueview.annotations.migrations.0003_unconfirmed_activity")
    desk = make_desk()
    untouched = make_study(uid="1.2.4")
    desk.study.refresh_from_db()
    summary = {**desk.study.annotation_summary}
    del summary["unconfirmed_active_count"]
    Study.objects.filter(pk=desk.study.pk).update(annotation_summary=summary)
    Annotation.objects.update(unconfirmed_active_count=0)

    migration.count_predictions(apps, connection.schema_editor())

    desk.study.refresh_from_db()
    untouched.refresh_from_db()
    assert Annotation.objects.get().unconfirmed_active_count == 1
    assert desk.study.annotation_summary == summary | {"unconfirmed_active_count": 1}
    assert untouched.annotation_summary is None

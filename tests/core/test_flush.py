"""A test that commits leaves the tables as migrations left them."""

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site

pytestmark = pytest.mark.django_db(transaction=True)


def filled() -> list[tuple[object, ...]]:
    kinds = ContentType.objects.values_list("app_label", "model").order_by("app_label", "model")
    rights = Permission.objects.values_list("content_type__app_label", "codename").order_by("pk")
    return [*kinds, *rights]


def test_a_flush_empties_all_but_what_migrations_filled():
    before = filled()
    create_site(name="Ljubljana")

    call_command("flush", interactive=False, verbosity=0)

    assert (Site.objects.count(), filled()) == (0, before)
    assert len(before) > len(apps.get_models())


def test_what_is_left_is_all_that_django_would_make_anew():
    before = filled()

    for app in apps.get_app_configs():
        create_contenttypes(app, verbosity=0)
        create_permissions(app, verbosity=0)

    assert filled() == before

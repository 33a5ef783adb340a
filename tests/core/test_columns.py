"""Columns hold what rows would, each in one piece where the database is PostgreSQL."""

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import NullIf
from django.test.utils import CaptureQueriesContext

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site
from plaqueview.core.columns import columns_of

pytestmark = pytest.mark.django_db


def test_each_column_holds_what_the_rows_hold_in_one_order():
    sites = [create_site(name=name) for name in ("Ljubljana", 'Maribor "East"', "Šempeter, Nova Gorica")]
    rows = Site.objects.annotate(known=NullIf("name", Value("Ljubljana")), third=Value(0.1 + 0.2), is_there=Value(True))

    name, known, third, is_there = columns_of(rows, "name", "known", "third", "is_there")

    assert sorted(zip(name, known, third, is_there, strict=True)) == [
        (site.name, None if site.name == "Ljubljana" else site.name, 0.1 + 0.2, True) for site in sites
    ]


def test_of_no_rows_every_column_is_empty():
    assert [list(column) for column in columns_of(Site.objects.none(), "name", "created")] == [[], []]
    assert [list(column) for column in columns_of(Site.objects.filter(name="nowhere"), "name", "pk")] == [[], []]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server that rows come from")
def test_all_come_as_one_row():
    create_site(name="Ljubljana")

    with CaptureQueriesContext(connection) as asked:
        columns_of(Site.objects.order_by(), "name", "pk")

    (sql,) = [one["sql"] for one in asked if one["sql"].startswith("SELECT")]
    assert sql.count("JSON_AGG") == 2

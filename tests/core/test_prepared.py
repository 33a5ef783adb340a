"""A prepared query gives what its queryset gives, for the values of each call."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from django.db import models
from django.db.models import F
from django.utils import timezone

from plaqueview.accounts.models import ApiToken, User
from plaqueview.core.access import Role
from plaqueview.core.prepared import Prepared, PreparedTuples, Slot
from plaqueview.studies.models import Instance
from tests.accounts.people import make_user, secret_of
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db


def test_it_is_filled_in_anew_by_every_call(django_assert_num_queries):
    receive_series(series(3))
    uids = list(Instance.objects.values_list("sop_instance_uid", flat=True))
    prepared = Prepared(lambda: Instance.objects.filter(sop_instance_uid=Slot("uid", models.CharField())))

    with django_assert_num_queries(4):
        found = [[row.sop_instance_uid for row in prepared.rows(uid=uid)] for uid in (*uids, "none")]

    assert found == [*([uid] for uid in uids), []]


def test_a_row_is_as_the_queryset_gives_it():
    receive_series(series(1, RescaleSlope="1.5"))
    user = make_user(Role.NEUROLOGIST)
    columns = ("attributes", "series_id", "size_bytes", "created")
    prepared = Prepared(lambda: Instance.objects.visible_to(User(pk=Slot("user", models.UUIDField()))).only(*columns))

    (row,) = prepared.rows(user=user.pk)
    expected = Instance.objects.only(*columns).get()

    assert row == expected
    assert {name: getattr(row, name) for name in columns} == {name: getattr(expected, name) for name in columns}
    assert row.get_deferred_fields() == expected.get_deferred_fields()
    assert prepared.rows(user=make_user(Role.NEUROLOGIST, site=None, username="x").pk) == [expected]


def test_times_and_what_is_joined_come_along(django_assert_num_queries):
    user = make_user(Role.NEUROLOGIST)
    secret_of(user)
    tokens = ApiToken.objects.select_related("user")
    prepared = Prepared(lambda: tokens.filter(expires_at__gt=Slot("now", models.DateTimeField())))
    now = timezone.now()

    with django_assert_num_queries(2):
        (token,) = prepared.rows(now=now)
        assert prepared.rows(now=now + timedelta(days=2)) == []
        assert (token.user, token.user.username) == (user, user.username)


class Summary(NamedTuple):
    sop_instance_uid: str
    series_id: UUID
    created: datetime
    frame_bytes: int | None


def test_tuples_are_as_the_queryset_gives_them_in_its_order(django_assert_num_queries):
    receive_series([*series(2), *series(1, side=32)])
    instances = Instance.objects.annotate(frame_bytes=F("attributes__frame_bytes")).order_by("-sop_instance_uid")
    prepared = PreparedTuples(Summary, lambda: instances.filter(rows__gte=Slot("least", models.IntegerField())))
    Instance.objects.filter(rows=32).update(attributes={})
    expected = [Summary(*row) for row in instances.values_list(*Summary._fields)]

    with django_assert_num_queries(2):
        assert prepared.rows(least=16) == expected
        assert prepared.rows(least=33) == []
    assert {row.frame_bytes for row in expected} == {512, None}


def test_a_value_that_the_call_forgets_is_an_error():
    prepared = Prepared(lambda: User.objects.filter(username=Slot("username", models.CharField())))

    with pytest.raises(KeyError):
        prepared.rows()

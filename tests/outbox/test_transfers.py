"""From an approved version to a peer: once for each node, tried again, given up, and always on record."""

import threading
from datetime import timedelta
from random import Random

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.leases import LONGEST_BACKOFF_S
from plaqueview.launcher.broker import free_port
from plaqueview.outbox import leases, services
from plaqueview.outbox.endings import delay_after
from plaqueview.outbox.models import KeptInstance, Transfer, TransferState
from plaqueview.outbox.requests import approvals_for
from tests.accounts.people import make_user, token_client
from tests.outbox.post_office import open_post_office, with_approval, work
from tests.pacs.peers import web_server

pytestmark = pytest.mark.django_db

STORED = b'{"00081199": {"vr": "SQ", "Value": []}}'
OUT_OF_RESOURCES = (
    b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [42752]}},'
    b' {"00081197": {"vr": "US", "Value": [42752]}}]}}'
)
ONE_REFUSED = b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [49152]}}]}}'
ALL_STORED = b'{"00081190": {"vr": "UR", "Value": ["https://pacs.example/studies/1"]}}'
DUPLICATES = b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [273]}}]}}'


@pytest.fixture
def post_office():
    return with_approval()


def kinds_of(transfer: Transfer) -> list[str]:
    events = AuditEvent.objects.filter(object_type="transfer", object_id=str(transfer.pk)).order_by("sequence")
    return list(events.values_list("kind", flat=True))


def test_a_version_is_sent_and_the_export_is_on_record(post_office):
    with web_server(200, body=STORED) as (url, asked):
        node = post_office.node(url=url)
        transfer = post_office.asked(node)
        tried = work(node)

    transfer.refresh_from_db()
    assert (tried, transfer.state, transfer.attempts) == (1, TransferState.SENT, 1)
    assert transfer.answer == "the peer stored 2 of 2 instances"
    assert [one["path"] for one in asked] == ["/dicom-web/studies"]
    assert transfer.sop_instance_uids == list(KeptInstance.objects.values_list("sop_instance_uid", flat=True))
    assert kinds_of(transfer) == [EventKind.TRANSFER_REQUESTED, EventKind.TRANSFER_SENT]
    sent = AuditEvent.objects.get(kind=EventKind.TRANSFER_SENT)
    assert sent.site_id == node.site_id
    assert (sent.details["address"], sent.details["instances"]) == (url, 2)


def test_a_second_request_is_the_same_transfer(post_office):
    node = post_office.node(port=free_port())

    first, second = post_office.ask(node), post_office.ask(node)

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.headers["Location"] == f"/api/v1/transfers/{first.json()['id']}"
    assert second.json()["id"] == first.json()["id"]
    assert Transfer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_transfer(post_office):
    node = post_office.node(port=free_port())
    answers = []

    def ask() -> None:
        answers.append(post_office.ask(node).status_code)
        connection.close()

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert sorted(answers) == [200, 202]
    assert Transfer.objects.count() == 1


def test_nothing_is_sent_of_a_version_that_is_not_approved():
    post_office = open_post_office()
    with web_server(200, body=STORED) as (url, asked):
        node = post_office.node(url=url, sends_approved=True)
        answer = post_office.ask(node)
        services.request_by_rule()
        now = timezone.now()
        smuggled = Transfer.objects.create(
            annotation=post_office.version, node=node, documents=["seg"], approved_at=now, next_attempt_at=now
        )
        work(node)

    smuggled.refresh_from_db()
    assert answer.status_code == 409
    assert answer.json()["detail"] == "the version is submitted; only one that is approved is sent"
    assert (smuggled.state, asked) == (TransferState.DEAD, [])
    assert smuggled.answer == "the version is submitted; only one that is approved is sent"
    assert not KeptInstance.objects.exists()


def test_a_peer_that_is_down_is_tried_again_and_gets_it_when_it_is_up(post_office):
    port = free_port()
    node = post_office.node(url=f"http://127.0.0.1:{port}/dicom-web")
    transfer = post_office.asked(node)
    before = timezone.now()
    work(node)
    work(node)  # not due

    transfer.refresh_from_db()
    assert (transfer.state, transfer.attempts) == (TransferState.FAILED, 1)
    assert transfer.answer.endswith("the connection was refused; nothing listens there")
    assert timedelta(seconds=5) <= transfer.next_attempt_at - before <= timedelta(seconds=15)
    uids = transfer.sop_instance_uids

    with web_server(200, body=STORED) as (url, asked):
        type(node).objects.update(url=url)
        Transfer.objects.update(next_attempt_at=timezone.now())
        work(node)

    transfer.refresh_from_db()
    assert (transfer.state, transfer.attempts, len(asked)) == (TransferState.SENT, 2, 1)
    assert transfer.sop_instance_uids == uids != []
    assert kinds_of(transfer) == [
        EventKind.TRANSFER_REQUESTED, EventKind.TRANSFER_FAILED, EventKind.TRANSFER_SENT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "state", "answer"),
    [
        (409, OUT_OF_RESOURCES, TransferState.FAILED, "0 of 2 instances; it refused the others with status 0xA700"),
        (202, ONE_REFUSED, TransferState.FAILED, "1 of 2 instances; it refused the others with status 0xC000"),
        (202, DUPLICATES, TransferState.SENT, "the peer stored 2 of 2 instances"),
        (409, b"<html>", TransferState.FAILED, "0 of 2 instances; it refused the others with status 0x0110"),
        (202, b"<html>", TransferState.FAILED, "0 of 2 instances; it refused the others with status 0x0110"),
        (202, ALL_STORED, TransferState.SENT, "the peer stored 2 of 2 instances"),
        (200, ONE_REFUSED, TransferState.FAILED, "1 of 2 instances; it refused the others with status 0xC000"),
        (200, b"", TransferState.SENT, "the peer stored 2 of 2 instances"),
        (401, b"", TransferState.FAILED, "HTTP 401 Unauthorized"),
        (503, b"", TransferState.FAILED, "HTTP 503 Service Unavailable"),
    ],
)
def test_what_the_peer_says_is_kept(post_office, status, body, state, answer):
    with web_server(status, body=body) as (url, _):
        node = post_office.node(url=url)
        transfer = post_office.asked(node)
        work(node)

    transfer.refresh_from_db()
    assert transfer.state == state
    assert answer in transfer.answer


def test_after_the_last_attempt_it_is_dead_until_it_is_resent(post_office, settings):
    settings.TRANSFER_MAX_ATTEMPTS, settings.TRANSFER_RETRY_S = 2, 0
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    work(node)
    work(node)
    work(node)

    dead = post_office.office.client.get("/api/v1/transfers?state=dead").json()["results"]
    assert [(one["id"], one["attempts"]) for one in dead] == [(str(transfer.pk), 2)]
    assert dead[0]["answer"].endswith("the connection was refused; nothing listens there")

    again = post_office.resend(transfer)
    assert again.status_code == 202
    assert (again.json()["state"], again.json()["attempts"]) == ("queued", 0)
    assert kinds_of(transfer)[-2:] == [EventKind.TRANSFER_DEAD, EventKind.TRANSFER_RESENT]


def test_sent_again_it_is_the_same_bytes(post_office):
    with web_server(200, body=STORED) as (url, asked):
        node, other = post_office.node(url=url), post_office.node("Other", url=url)
        transfer = post_office.asked(node)
        work(node)
        uids = Transfer.objects.get().sop_instance_uids
        post_office.resend(transfer)
        work(node)
        elsewhere = post_office.asked(other)
        work(other)

    transfer.refresh_from_db()
    elsewhere.refresh_from_db()
    assert transfer.state == elsewhere.state == TransferState.SENT
    assert transfer.sop_instance_uids == elsewhere.sop_instance_uids == uids
    assert len({one["content-length"] for one in asked}) == 1
    assert KeptInstance.objects.count() == 2


def test_what_else_waits_for_a_peer_that_is_away_uses_up_no_attempts(post_office):
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    now = timezone.now()
    other = Transfer.objects.create(
        annotation=post_office.office.prediction, node=node, documents=["seg"], approved_at=now, next_attempt_at=now
    )

    assert work(node) == 1

    transfer.refresh_from_db()
    other.refresh_from_db()
    assert (transfer.attempts, other.attempts) == (1, 0)
    assert other.next_attempt_at == transfer.next_attempt_at


def test_a_lease_that_lapsed_is_taken_up_by_another_and_the_first_writes_nothing(post_office, settings):
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    first = leases.claim_next(node_id=node.pk)
    assert leases.claim_next(node_id=node.pk) is None
    assert services.wake_nodes() == 0

    Transfer.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert services.wake_nodes() == 1
    second = leases.claim_next(node_id=node.pk)

    assert second is not None
    assert second.row_id == first.row_id == transfer.pk
    with pytest.raises(leases.ClaimLostError):
        leases.renew(first)
    with pytest.raises(leases.ClaimLostError):
        leases.held_transfer(first)
    settings.TRANSFER_MAX_ATTEMPTS = 2
    Transfer.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert leases.claim_next(node_id=node.pk) is None
    assert services.bury_lapsed() == 1
    transfer.refresh_from_db()
    assert (transfer.state, transfer.answer) == (
        TransferState.DEAD,
        "no worker came to the end of it in 2 attempts",
    )


def test_a_rule_sends_what_is_approved_from_then_on(settings):
    post_office = open_post_office()
    node = post_office.node(port=free_port(), sends_approved=True, documents=("seg", "sc"))
    silent = post_office.node("Silent", port=free_port())

    assert services.request_by_rule() == 0
    post_office.approve()
    late = post_office.node("Late", port=free_port(), sends_approved=True)
    assert services.request_by_rule() == 1
    assert services.request_by_rule() == 0

    transfer = Transfer.objects.get()
    assert (transfer.node_id, transfer.requested_by, transfer.documents) == (node.pk, None, ["seg", "sc"])
    assert list(approvals_for(late)) == list(approvals_for(silent)) == []
    (event,) = AuditEvent.objects.filter(kind=EventKind.TRANSFER_REQUESTED)
    assert event.actor_name == "system"


@pytest.mark.skipif("sqlite" not in django_settings.DATABASES["default"]["ENGINE"], reason="reads SQLite's plan")
def test_the_rule_and_the_turn_are_found_by_index(post_office):
    node = post_office.node(port=free_port(), sends_approved=True)

    assert "review_step_by_time" in approvals_for(node).explain()
    assert "transfer_by_turn" in Transfer.objects.due(timezone.now()).explain()


def test_a_node_that_is_not_in_use_is_sent_nothing(post_office):
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    type(node).objects.update(is_active=False)

    assert work(node) == 0
    assert services.wake_nodes() == 0
    assert post_office.resend(transfer).status_code == 409
    assert post_office.ask(node).status_code == 409


def test_a_node_to_which_something_was_sent_cannot_be_removed(post_office):
    node = post_office.node(port=free_port())
    post_office.asked(node)

    answer = token_client(post_office.admin).delete(f"/api/v1/nodes/{node.pk}")

    assert answer.status_code == 409
    assert "deactivate it" in answer.json()["detail"]
    assert type(node).objects.filter(pk=node.pk).exists()


def test_another_site_sees_and_sends_nothing(post_office):
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))

    assert stranger.get("/api/v1/transfers").json()["count"] == 0
    assert stranger.post(f"/api/v1/transfers/{transfer.pk}/resend").status_code == 404


def test_delays_double_up_to_an_hour_and_scatter(settings):
    settings.TRANSFER_RETRY_S = 10.0
    delays = [[delay_after(attempt, Random(seed)).total_seconds() for seed in range(50)] for attempt in (1, 2, 3, 30)]

    for longest_s, drawn in zip((10.0, 20.0, 40.0, LONGEST_BACKOFF_S), delays, strict=True):
        assert longest_s / 2 <= min(drawn) < max(drawn) <= longest_s
        assert len(set(drawn)) == 50

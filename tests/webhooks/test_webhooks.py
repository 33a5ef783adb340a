"""From what happened to a receiver: signed, tried again, given up, sent once more, and never a patient's data."""

import json
import logging
import socket
import ssl
import time
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent
from plaqueview.celery import celery_app
from plaqueview.core.access import Role
from plaqueview.inference import services as inference
from plaqueview.inference.models import InferenceJob
from plaqueview.launcher.broker import free_port
from plaqueview.webhooks import leases, posting, services
from plaqueview.webhooks.endings import KEPT_FOR
from plaqueview.webhooks.models import Delivery, DeliveryState, Webhook, WebhookEvent
from tests.accounts.people import make_user, token_client
from tests.api.test_openapi import SNAPSHOT
from tests.inference.scenes import claimed
from tests.outbox.post_office import PostOffice, open_post_office, work
from tests.pacs.peers import certificate_and_key, dripping_port
from tests.reports.scenes import received
from tests.schemas import validator_of
from tests.webhooks.receiver import Receiver, running_receiver

pytestmark = pytest.mark.django_db


class Desk:
    """An administrator's."""

    def __init__(self, site: Site) -> None:
        self.admin: User = make_user(Role.ADMIN, site=site)
        self.client = token_client(self.admin)

    def ask(self, method: str, address: str, **body: Any) -> Any:
        return getattr(self.client, method)(f"/api/v1/{address}", body, content_type="application/json")

    def connect(self, receiver: Receiver, **changes: Any) -> Webhook:
        body = {"name": "Engine", "url": receiver.url, "ca_certificates": receiver.certificate}
        answer = self.ask("post", "webhooks", **{**body, "events": WebhookEvent.values, **changes})
        assert answer.status_code == 201, answer.json()
        receiver.secret = answer.json()["secret"]
        return Webhook.objects.get(pk=answer.json()["id"])


@pytest.fixture
def desk():
    return Desk(create_site(name="Ljubljana"))


def tend(webhook: Webhook) -> int:
    """What the clock and a worker do for the receiver."""
    services.request_by_event()
    return services.deliver(webhook_id=webhook.pk, random=Random(0))


def types(receiver: Receiver) -> list[str]:
    return [message.event["type"] for message in receiver.messages if message.event]


def a_transfer_dies(post_office: PostOffice, settings: Any) -> str:
    settings.TRANSFER_MAX_ATTEMPTS = 1
    node = post_office.node(port=free_port())
    transfer = post_office.asked(node)
    work(node)
    return str(transfer.pk)


def test_each_event_comes_signed_as_the_document_says_and_names_no_patient(desk, tmp_path, settings, caplog):
    caplog.set_level(logging.DEBUG)
    with running_receiver(tmp_path, 204) as receiver:
        webhook = desk.connect(receiver)
        post_office = open_post_office()
        post_office.approve()
        transfer_id = a_transfer_dies(post_office, settings)
        version = post_office.version

        assert tend(webhook) == 4
        assert tend(webhook) == 0

    study_id = str(version.study_id)
    job = InferenceJob.objects.get()
    told = [(message.event["type"], message.event["data"]) for message in receiver.messages]
    assert told == [
        ("study.received", {"study": study_id, "url": f"http://testserver/api/v1/studies/{study_id}"}),
        (
            "job.completed",
            {
                "job": str(job.pk), "study": study_id, "annotation": str(job.annotation_id), "state": "succeeded",
                "url": f"http://testserver/api/v1/jobs/{job.pk}",
            },
        ),
        (
            "annotation.approved",
            {
                "annotation": str(version.pk), "study": study_id,
                "url": f"http://testserver/api/v1/annotations/{version.pk}",
            },
        ),
        (
            "export.failed",
            {
                "transfer": transfer_id, "study": study_id, "annotation": str(version.pk),
                "node": str(post_office.version.transfers.get().node_id),
                "url": f"http://testserver/api/v1/transfers/{transfer_id}",
            },
        ),
    ]  # fmt: skip
    document = json.loads(SNAPSHOT.read_text())
    for message in receiver.messages:
        schema = document["webhooks"][message.event["type"]]["post"]["requestBody"]["content"]["application/json"]
        validator_of({**schema["schema"], "components": document["components"]}).validate(message.event)
    study, sent = version.study, " ".join(message.body for message in receiver.messages)
    identity = (study.patient.name, study.patient.patient_id, study.study_instance_uid)
    assert [word for word in identity if word in sent] == []
    _assert_kept_secret(receiver, caplog.text)


def _assert_kept_secret(receiver: Receiver, log: str) -> None:
    audited = " ".join(json.dumps(details) for details in AuditEvent.objects.values_list("details", flat=True))
    kept = " ".join(map(str, Webhook.objects.values_list("secret_sealed", flat=True)))
    for place in (log, audited, kept):
        assert receiver.secret not in place
        assert receiver.secret.removeprefix("whsec_") not in place
    assert "only-the-receiver-knows" not in log + audited


def test_a_receiver_that_fails_is_tried_again_with_the_same_message_and_then_has_it(desk, tmp_path):
    with running_receiver(tmp_path, 500, 200) as receiver:
        webhook = desk.connect(receiver)
        received(webhook.site)
        before = timezone.now()
        tend(webhook)
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
        assert delivery.answer == f"{webhook.address}: HTTP 500 Internal Server Error"
        assert timedelta(seconds=5) <= delivery.next_attempt_at - before <= timedelta(seconds=15)

        Delivery.objects.update(next_attempt_at=timezone.now())
        tend(webhook)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    first, second = receiver.messages
    assert (first.id, first.body) == (second.id, second.body) == (delivery.message_id, delivery.body)
    assert types(receiver) == ["study.received"] * 2


def test_after_the_last_attempt_it_is_dead_until_it_is_sent_once_more(desk, tmp_path, settings):
    settings.WEBHOOK_MAX_ATTEMPTS = 1
    with running_receiver(tmp_path, 403, 200) as receiver:
        webhook = desk.connect(receiver)
        received(webhook.site)
        tend(webhook)
        (dead,) = desk.ask("get", "deliveries?state=dead").json()["results"]
        assert dead["answer"] == f"{webhook.address}: HTTP 403 Forbidden"

        again = desk.ask("post", f"deliveries/{dead['id']}/redeliver")
        tend(webhook)

    assert (again.status_code, again.headers["Location"]) == (202, f"/api/v1/deliveries/{dead['id']}")
    assert [message.id for message in receiver.messages] == [dead["message_id"]] * 2
    assert desk.ask("get", f"deliveries/{dead['id']}").json()["state"] == "delivered"
    kinds = AuditEvent.objects.filter(object_type="delivery").order_by("sequence").values_list("kind", "actor_name")
    assert list(kinds) == [
        ("delivery.dead", "system"),
        ("delivery.asked_again", desk.admin.get_username()),
        ("delivery.delivered", "system"),
    ]


def test_only_chosen_events_of_the_own_site_come_and_none_from_before_or_from_a_pause(desk, tmp_path):
    site = Site.objects.get(name="Ljubljana")
    received(site)
    with running_receiver(tmp_path, 200) as receiver:
        webhook = desk.connect(receiver, events=["job.completed"])
        received(create_site(name="Maribor"))
        assert tend(webhook) == 0
        job = claimed(site.studies.get())
        desk.ask("patch", f"webhooks/{webhook.pk}", is_active=False)
        inference.fail(job, reason="The series has no slices.")
        services.request_by_event()
        desk.ask("patch", f"webhooks/{webhook.pk}", is_active=True)
        assert tend(webhook) == 0

        inference.fail(claimed(site.studies.get(), actor=desk.admin), reason="The series has no slices.")
        assert tend(webhook) == 1

    assert receiver.messages[0].event["data"]["state"] == "failed"
    assert receiver.messages[0].event["data"]["annotation"] is None
    assert "slices" not in receiver.messages[0].body


def test_what_else_waits_for_a_receiver_that_is_away_uses_up_no_attempts(desk):
    with socket.socket() as taken:  # a port where nothing listens, and where nobody else can begin to
        taken.bind(("127.0.0.1", 0))
        webhook = desk.connect(Receiver([], "", url=f"https://127.0.0.1:{taken.getsockname()[1]}/"))
        for _ in range(2):
            desk.ask("post", f"webhooks/{webhook.pk}/test")

        assert tend(webhook) == 1

    first, second = Delivery.objects.order_by("created")
    assert (first.attempts, second.attempts) == (1, 0)
    assert first.answer == f"{webhook.address}: the connection was refused; nothing listens there"
    assert second.next_attempt_at == first.next_attempt_at


@pytest.mark.parametrize(
    ("opening", "drop"), [(b"HTTP/1.1 204 No Content\r\nServer: ", b"a"), (b"", b"HTTP/1.1 102 Processing\r\n\r\n")]
)
def test_a_receiver_that_never_comes_to_an_end_is_given_up_in_time(desk, tmp_path, monkeypatch, opening, drop):
    monkeypatch.setattr(posting, "LONGEST_S", 0.5)
    certificate, key = certificate_and_key()
    pem = tmp_path / "receiver.pem"
    pem.write_text(certificate + key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    with dripping_port(opening, drop, context=context) as port:
        webhook = desk.connect(Receiver([], certificate, f"https://127.0.0.1:{port}/hook"))
        desk.ask("post", f"webhooks/{webhook.pk}/test")
        begin = time.monotonic()
        services.deliver(webhook_id=webhook.pk, random=Random(0))
        took_s = time.monotonic() - begin

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.answer) == (DeliveryState.FAILED, f"127.0.0.1:{port}: no answer in time")
    assert took_s < posting.TIMEOUT.read / 3


def test_a_receiver_whose_host_is_none_and_was_taken_once_is_tried_again_later(desk):
    webhook = desk.connect(Receiver([], ""), url="https://engine.example/hook")
    desk.ask("post", f"webhooks/{webhook.pk}/test")
    Webhook.objects.update(url="https://engine..example/hook")

    services.deliver(webhook_id=webhook.pk, random=Random(0))

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.answer) == (
        DeliveryState.FAILED,
        "engine..example: the host name is not known",
    )


def test_with_a_new_secret_the_old_one_signs_nothing(desk, tmp_path):
    with running_receiver(tmp_path, 200) as receiver:
        webhook = desk.connect(receiver)
        shown = desk.ask("post", f"webhooks/{webhook.pk}/secret").json()["secret"]
        desk.ask("post", f"webhooks/{webhook.pk}/test")
        tend(webhook)
        receiver.secret = shown
        desk.ask("post", f"webhooks/{webhook.pk}/test")
        tend(webhook)

    assert [message.event is not None for message in receiver.messages] == [False, True]
    assert types(receiver) == ["webhook.tested"]
    for address in (f"webhooks/{webhook.pk}", "webhooks", "deliveries"):
        assert "whsec_" not in desk.ask("get", address).content.decode()


def test_a_server_without_a_trusted_certificate_is_told_nothing(desk, tmp_path):
    with running_receiver(tmp_path, 200) as receiver:
        webhook = desk.connect(receiver, ca_certificates="")
        desk.ask("post", f"webhooks/{webhook.pk}/test")
        tend(webhook)

    assert receiver.messages == []
    assert "no trust by TLS" in Delivery.objects.get().answer


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("url", "http://example.org/hook", "needs https:// and a host"),
        ("url", "https://engine..example.org/hook", "needs https:// and a host"),
        (
            "url",
            "https://user:word@example.org/",
            "needs no credentials: the receiver knows a message by its signature",
        ),
        (
            "url",
            "https://169.254.169.254/latest",
            "is where machines find their cloud or their neighbour, never a node",
        ),
        ("url", "https://example.org/a#b", "needs no #"),
        ("events", [], "needs one or more of study.received, job.completed, annotation.approved, export.failed"),
        ("ca_certificates", "no PEM", "needs PEM"),
    ],
)
def test_a_receiver_that_could_not_be_told_is_refused_by_field(desk, field, value, problem):
    body = {"name": "Engine", "url": "https://example.org/hook", "events": ["study.received"], field: value}

    answer = desk.ask("post", "webhooks", **body)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "detail": problem}]
    assert not Webhook.objects.exists()


def test_a_dead_workers_message_is_taken_up_and_an_old_one_forgotten(desk, tmp_path, settings):
    settings.WEBHOOK_MAX_ATTEMPTS = 2
    with running_receiver(tmp_path, 200) as receiver:
        webhook = desk.connect(receiver)
        desk.ask("post", f"webhooks/{webhook.pk}/test")
    first = leases.claim_next(webhook_id=webhook.pk)
    assert leases.claim_next(webhook_id=webhook.pk) is None
    for _ in range(2):
        Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        second = leases.claim_next(webhook_id=webhook.pk)

    assert (first.row_id, second) == (Delivery.objects.get().pk, None)
    assert (services.bury_lapsed(), Delivery.objects.get().state) == (1, DeliveryState.DEAD)
    assert services.forget_old() == 0
    Delivery.objects.update(modified=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    assert services.forget_old() == 1


def test_the_clock_and_the_worker_know_the_tasks():
    celery_app.loader.import_default_modules()

    assert {"webhooks.deliver", "webhooks.tend", "webhooks.forget"} <= set(celery_app.tasks)

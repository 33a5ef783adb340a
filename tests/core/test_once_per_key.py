"""A POST that is sent twice with one key does its work once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.utils import timezone

from plaqueview.core.access import Role
from plaqueview.core.models import IdempotentRequest
from tests.accounts.people import make_user, token_client
from tests.core.views import WorkView

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.core.urls")]


@pytest.fixture(autouse=True)
def done(monkeypatch) -> list[int]:
    numbers: list[int] = []
    monkeypatch.setattr(WorkView, "done", numbers)
    return numbers


@pytest.fixture
def client() -> Client:
    return token_client(make_user(Role.INTEGRATOR))


def post(client: Client, number: object = 1, *, key: str | None = "key-1"):
    headers = {"idempotency-key": key} if key is not None else {}
    return client.post("/api/v1/work", {"number": number}, content_type="application/json", headers=headers)


def test_the_second_request_gets_the_first_ones_answer(client, done):
    first, second = post(client), post(client)

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json() == {"number": 1, "entries": 1}
    assert first.headers["Location"] == second.headers["Location"] == "/api/v1/jobs/7"
    assert done == [1]


def test_another_key_is_another_request(client, done):
    post(client, key="key-1")
    post(client, key="key-2")

    assert done == [1, 1]


def test_without_a_key_every_request_counts(client, done):
    post(client, key=None)
    post(client, key=None)

    assert done == [1, 1]
    assert IdempotentRequest.objects.count() == 0


def test_the_same_key_of_another_actor_is_another_key(client, done):
    post(client)
    post(token_client(make_user(Role.INTEGRATOR)))

    assert done == [1, 1]


def test_a_key_used_for_another_body_is_a_conflict(client, done):
    post(client, 1)

    answer = post(client, 2)

    assert answer.status_code == 409
    assert answer.json()["detail"] == "this Idempotency-Key was used for another request; send a new key"
    assert done == [1]


def test_a_request_that_failed_may_be_tried_again_with_its_key(client, done):
    assert post(client, "one").status_code == 400
    assert IdempotentRequest.objects.count() == 0

    assert post(client, 1).status_code == 202
    assert done == [1]


def test_a_key_that_is_too_long_is_refused(client, done):
    answer = post(client, key="k" * 256)

    assert (answer.status_code, done) == (422, [])


def run_together(*works: Callable[[], object]) -> None:
    def run(work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_many_requests_at_once_one_does_the_work(client, done):
    answers: list[int] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        answers.append(post(client).status_code)

    run_together(*[ask] * 8)

    assert done == [1]
    assert answers.count(202) >= 1
    assert set(answers) <= {202, 409}
    assert post(client).status_code == 202
    assert done == [1]


def test_while_the_first_still_runs_the_second_is_told_so_at_once(client, done, monkeypatch):
    is_inside, may_go_on = threading.Event(), threading.Event()

    def wait() -> None:
        is_inside.set()
        assert may_go_on.wait(10)

    monkeypatch.setattr(WorkView, "before", staticmethod(wait))
    second = []

    def ask_meanwhile() -> None:
        assert is_inside.wait(10)
        second.append(post(client))
        may_go_on.set()

    run_together(lambda: post(client), ask_meanwhile)

    assert second[0].status_code == 409
    assert second[0].json()["detail"].startswith("the first request with this Idempotency-Key still runs")
    assert done == [1]


def test_a_key_whose_holder_died_is_free_after_ten_minutes(client, done):
    post(client)
    IdempotentRequest.objects.update(status=None, body=None)

    assert post(client).status_code == 409
    IdempotentRequest.objects.update(modified=timezone.now() - timedelta(minutes=11))
    assert post(client).status_code == 202
    assert done == [1, 1]


def test_an_upload_is_the_same_when_its_length_is(client, done):
    def upload(content: bytes):
        body = {"file": SimpleUploadedFile("a", content)}
        return client.post("/api/v1/upload-work", body, headers={"idempotency-key": "key-1"})

    assert [upload(b"12345").status_code, upload(b"12345").status_code, upload(b"1234567").status_code] == [
        202,
        202,
        409,
    ]
    assert done == [1]

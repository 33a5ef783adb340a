"""The feed as a browser and a script find it: a real server, a real broker, a real socket."""

from uuid import uuid4

import pytest
from django.test import Client
from websockets.sync.client import connect

from plaqueview.accounts.models import ApiToken, User
from plaqueview.accounts.services import create_site
from plaqueview.core.access import Action, Role
from plaqueview.inference import services
from plaqueview.inference.models import JobStage
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.annotations.scenes import NEW, make_desk
from tests.feed.sockets import ORIGIN, ask, by_session, by_token, closing_code, heard, is_silent
from tests.inference.processes import server
from tests.inference.scenes import claimed, make_study, segmentation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def feed_url(tmp_path_factory, running_broker, django_db_setup, django_db_blocker):
    folder = tmp_path_factory.mktemp("feed")
    with (
        django_db_blocker.unblock(),
        server("asgi", log=folder / "feed.log", PLAQUEVIEW_FEED_RECHECK_S="0.2") as port,
    ):
        yield f"ws://127.0.0.1:{port}/ws/feed"


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def reader(study) -> User:
    return make_user(Role.NEUROLOGIST, site=study.site)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_script_with_a_token_listens(feed_url, reader):
    with by_token(feed_url, reader) as socket:
        assert ask(socket, type="subscribe", topic="worklist") == {"type": "subscribed", "topic": "worklist"}
        assert ask(socket, type="ping") == {"type": "pong"}
        assert ask(socket, type="unsubscribe", topic="worklist") == {"type": "unsubscribed", "topic": "worklist"}


def test_a_browser_with_a_session_at_our_origin_listens(feed_url, reader, study):
    with by_session(feed_url, signed_in(reader)) as socket:
        answer = ask(socket, type="subscribe", topic="study", study=str(study.pk))

    assert answer == {"type": "subscribed", "topic": "study", "study": str(study.pk)}


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://testserver.example", "null", None])
def test_a_session_from_another_origin_is_refused(feed_url, reader, origin):
    with by_session(feed_url, signed_in(reader), origin=origin) as socket:
        assert closing_code(socket) == 4401


def test_nobody_is_told_so_by_the_closing_code(feed_url):
    with connect(feed_url, origin=ORIGIN) as socket:
        assert closing_code(socket) == 4401


def test_a_wrong_token_is_nobody(feed_url):
    with connect(feed_url, additional_headers={"Authorization": "Bearer unknown"}) as socket:
        assert closing_code(socket) == 4401


def test_the_course_of_a_job_is_heard_as_pointers(feed_url, reader, study):
    with by_token(feed_url, reader) as socket:
        ask(socket, type="subscribe", topic="study", study=str(study.pk))
        claim = claimed(study)
        services.renew(claim, progress=0.5, stage=JobStage.NETWORK)
        annotation = services.complete(claim, segmentation=segmentation())
        events = [heard(socket) for _ in range(7)]
        assert is_silent(socket)

    job = {"type": "job.progress", "job": str(claim.job_id), "study": str(study.pk)}
    assert events == [
        {**job, "state": "queued", "stage": "queued", "progress": 0.0},
        {"type": "study.changed", "study": str(study.pk), "state": "running"},
        {**job, "state": "running", "stage": "loading", "progress": 0.0},
        {**job, "state": "running", "stage": "network", "progress": 0.5},
        {"type": "annotation.changed", "study": str(study.pk), "annotation": str(annotation.pk), "version": 1},
        {**job, "state": "succeeded", "stage": "saving", "progress": 1.0},
        {"type": "study.changed", "study": str(study.pk), "state": "ready"},
    ]


def test_listeners_of_a_study_follow_its_draft_its_review_and_what_is_said_of_it(feed_url, study):
    desk = make_desk(study)
    desk.save(NEW)
    id_, name = str(study.pk), desk.reader.username

    with by_token(feed_url, desk.reader) as socket:
        ask(socket, type="subscribe", topic="study", study=id_)
        draft = desk.save({"if-match": '"1"'}).json()["id"]
        refused = desk.save({"if-match": '"1"'})
        comment = desk.post(f"studies/{id_}/comments", {"text": "A vessel?"}).json()["id"]
        desk.submit(draft)
        desk.post(f"annotations/{draft}/approve", {})
        events = [heard(socket) for _ in range(7)]

    changed = {"type": "draft.changed", "study": id_, "draft": draft, "author": name}
    version = {"type": "annotation.changed", "study": id_, "annotation": draft, "version": 2}
    assert refused.status_code == 412
    assert events == [
        {**changed, "revision": 2},
        {"type": "comment.changed", "study": id_, "comment": comment},
        {**changed, "revision": 0},
        {"type": "study.changed", "study": id_, "state": "in_review"},
        version,
        {"type": "study.changed", "study": id_, "state": "approved"},
        version,
    ]


def test_the_worklist_hears_of_its_own_site_only(feed_url, reader, study):
    elsewhere = make_study(site=create_site(name="Elsewhere"), uid="9.9")

    with by_token(feed_url, reader) as socket:
        ask(socket, type="subscribe", topic="worklist")
        services.request(study_id=elsewhere.pk, actor=None)
        assert is_silent(socket)
        job = services.request(study_id=study.pk, actor=None)
        assert heard(socket)["job"] == str(job.pk)


def test_what_was_unsubscribed_is_heard_no_more(feed_url, reader, study):
    with by_token(feed_url, reader) as socket:
        ask(socket, type="subscribe", topic="worklist")
        ask(socket, type="unsubscribe", topic="worklist")
        services.request(study_id=study.pk, actor=None)
        assert is_silent(socket)


def test_what_a_user_may_not_see_is_not_found(feed_url, study):
    stranger = make_user(Role.ADMIN, site=create_site(name="Elsewhere"))

    with by_token(feed_url, stranger) as socket:
        for topic in ({"topic": "study", "study": str(study.pk)}, {"topic": "upload", "upload": str(uuid4())}):
            assert ask(socket, type="subscribe", **topic)["code"] == "not_found"
        services.request(study_id=study.pk, actor=None)
        assert is_silent(socket)


def test_a_token_without_the_action_is_denied(feed_url, reader, study):
    with by_token(feed_url, reader, Action.MODEL_READ) as socket:
        answers = [
            ask(socket, type="subscribe", topic="worklist"),
            ask(socket, type="subscribe", topic="study", study=str(study.pk)),
        ]

    assert [answer["code"] for answer in answers] == ["denied", "denied"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no json",
        "[]",
        "null",
        "{}",
        '{"type": "shout"}',
        '{"type": ["subscribe"]}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "topic": "patients"}',
        '{"type": "subscribe", "topic": "study"}',
        '{"type": "subscribe", "topic": "study", "study": "7"}',
        '{"type": "subscribe", "topic": "study", "study": 7}',
        '{"type": "subscribe", "topic": ["study"]}',
        "[" * 4000,
        b"\x00\x01",
    ],
)
def test_a_bad_message_is_answered_and_the_socket_goes_on(feed_url, reader, message):
    with by_token(feed_url, reader) as socket:
        socket.send(message)
        answer = heard(socket)
        assert (answer["type"], answer["code"]) == ("error", "invalid")
        assert ask(socket, type="ping") == {"type": "pong"}


def test_a_message_that_is_too_long_is_refused(feed_url, reader):
    with by_token(feed_url, reader) as socket:
        assert ask(socket, type="ping", padding="x" * 5000)["code"] == "too_large"


def test_signing_out_closes_the_socket(feed_url, reader):
    client = signed_in(reader)

    with by_session(feed_url, client) as socket:
        client.logout()
        assert closing_code(socket) == 4401


def test_a_revoked_token_closes_the_socket(feed_url, reader):
    with by_token(feed_url, reader) as socket:
        ask(socket, type="ping")
        ApiToken.objects.all().delete()
        assert closing_code(socket) == 4401


def test_losing_a_site_closes_a_socket_that_listened_to_it(feed_url, reader, study):
    with by_token(feed_url, reader) as socket:
        ask(socket, type="subscribe", topic="study", study=str(study.pk))
        reader.sites.set([create_site(name="Elsewhere")])
        assert closing_code(socket) == 4403


def test_a_quiet_socket_outlives_every_time_limit_of_the_broker(feed_url, reader, study):
    """redis-py ends a read after five seconds by itself, and with it the socket, unless it is told otherwise."""
    with by_token(feed_url, reader) as socket:
        ask(socket, type="subscribe", topic="worklist")
        with pytest.raises(TimeoutError):
            socket.recv(6.0)
        services.request(study_id=study.pk, actor=None)
        assert heard(socket)["type"] == "job.progress"

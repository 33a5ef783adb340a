"""Who is at a study, as the browsers of several readers hear it, through more than one process of the feed."""

import time

import pytest
from redis import Redis

from plaqueview.accounts.models import User
from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import BlindedReading, DoubleReading
from plaqueview.core.access import Role
from plaqueview.feed.company import readers_of
from plaqueview.feed.presence import Presence
from plaqueview.launcher.broker import free_port
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.feed.sockets import ask, by_token, heard, is_silent, say
from tests.inference.processes import answers, kill, process, server, wait_until
from tests.inference.scenes import make_study

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough for a busy machine between two words, short enough to wait for.
LIFETIME_S = 4.0
PACE = {"PLAQUEVIEW_FEED_RECHECK_S": "0.3", "PLAQUEVIEW_FEED_PRESENCE_S": str(LIFETIME_S)}


@pytest.fixture(scope="module")
def feed_urls(tmp_path_factory, running_broker, django_db_setup, django_db_blocker):
    """Two processes of the feed, on one broker."""
    folder = tmp_path_factory.mktemp("feed")
    with (
        django_db_blocker.unblock(),
        server("asgi", log=folder / "one.log", **PACE) as one,
        server("asgi", log=folder / "two.log", **PACE) as two,
    ):
        yield [f"ws://127.0.0.1:{port}/ws/feed" for port in (one, two)]


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def ana(study) -> User:
    return make_user(Role.NEUROLOGIST, site=study.site, username="ana")


@pytest.fixture
def bor(study) -> User:
    return make_user(Role.NEUROLOGIST, site=study.site, username="bor")


def listen(socket, study: Study) -> dict:
    return ask(socket, type="subscribe", topic="study", study=str(study.pk))


def be_at(socket, study: Study, *, is_editing: bool = False) -> None:
    say(socket, type="presence", study=str(study.pk), is_editing=is_editing)


def told(study: Study, **is_editing: bool) -> dict:
    """The event that says that these are there."""
    readers = [{"reader": reader, "is_editing": edits} for reader, edits in is_editing.items()]
    return {"type": "presence.changed", "study": str(study.pk), "readers": readers}


def test_readers_hear_of_each_other_across_processes(feed_urls, study, ana, bor):
    with by_token(feed_urls[0], ana) as of_ana, by_token(feed_urls[1], bor) as of_bor:
        listen(of_ana, study)
        be_at(of_ana, study)
        assert heard(of_ana) == told(study, ana=False)

        listen(of_bor, study)
        assert heard(of_bor) == told(study, ana=False)
        be_at(of_bor, study, is_editing=True)
        assert heard(of_ana) == heard(of_bor) == told(study, ana=False, bor=True)

        be_at(of_bor, study)
        assert heard(of_ana) == heard(of_bor) == told(study, ana=False, bor=False)


def test_saying_the_same_again_tells_nobody_anything(feed_urls, study, ana):
    with by_token(feed_urls[0], ana) as socket:
        listen(socket, study)
        for _ in range(3):
            be_at(socket, study)
        assert heard(socket) == told(study, ana=False)
        assert is_silent(socket)


def test_a_socket_that_closes_is_gone_at_once(feed_urls, study, ana, bor):
    with by_token(feed_urls[0], bor) as of_bor:
        listen(of_bor, study)
        with by_token(feed_urls[1], ana) as of_ana:
            listen(of_ana, study)
            be_at(of_ana, study)
            assert heard(of_bor) == told(study, ana=False)
        closed_at = time.monotonic()
        assert heard(of_bor) == told(study)

    assert time.monotonic() - closed_at < LIFETIME_S / 2


def test_a_socket_that_listens_no_more_is_gone(feed_urls, study, ana):
    with by_token(feed_urls[0], ana) as watching, by_token(feed_urls[0], ana) as leaving:
        listen(watching, study)
        listen(leaving, study)
        be_at(leaving, study)
        assert heard(watching) == told(study, ana=False)
        say(leaving, type="unsubscribe", topic="study", study=str(study.pk))
        assert heard(watching) == told(study)


def test_a_socket_that_falls_silent_is_gone_after_its_time_and_comes_back_with_a_word(feed_urls, study, ana):
    with by_token(feed_urls[0], ana) as socket:
        listen(socket, study)
        be_at(socket, study)
        assert heard(socket) == told(study, ana=False)
        said_at = time.monotonic()
        assert heard(socket) == told(study)
        assert LIFETIME_S * 0.9 < time.monotonic() - said_at < LIFETIME_S * 2

        be_at(socket, study)
        assert heard(socket) == told(study, ana=False)


def test_a_process_that_is_killed_takes_its_readers_along(feed_urls, study, ana, bor, tmp_path):
    log, port = tmp_path / "third.log", free_port()
    words = ("-m", "granian", "--interface", "asginl", "plaqueview.asgi:application", "--port", str(port))
    with process(*words, log=log, **PACE) as third, by_token(feed_urls[0], bor) as of_bor:
        wait_until(lambda: answers(port), what="the third process", child=third, log=log)
        listen(of_bor, study)
        with by_token(f"ws://127.0.0.1:{port}/ws/feed", ana) as of_ana:
            listen(of_ana, study)
            be_at(of_ana, study)
            assert heard(of_bor) == told(study, ana=False)
            kill(third)
            assert heard(of_bor) == told(study)


def test_a_reader_with_two_windows_is_one_reader_who_edits_when_one_does():
    words = [Presence("2", "bor", is_editing=False), Presence("1", "ana", is_editing=False)]
    words += [Presence("1", "ana", is_editing=True), Presence("1", "ana", is_editing=False)]

    assert readers_of(words) == [{"reader": "ana", "is_editing": True}, {"reader": "bor", "is_editing": False}]


def test_readers_who_read_blinded_do_not_notice_each_other(feed_urls, study, ana, bor):
    cid = make_user(Role.NEUROLOGIST, site=study.site, username="cid")
    double_reading = DoubleReading.objects.create(study=study, adjudicator=cid, requested_by=cid)
    for reader in (ana, bor):
        BlindedReading.objects.create(double_reading=double_reading, reader=reader)

    with (
        by_token(feed_urls[0], ana) as of_ana,
        by_token(feed_urls[1], bor) as of_bor,
        by_token(feed_urls[0], cid) as of_cid,
    ):
        for socket in (of_ana, of_bor, of_cid):
            listen(socket, study)
        be_at(of_ana, study, is_editing=True)
        assert heard(of_ana) == heard(of_cid) == told(study, ana=True)
        be_at(of_bor, study)
        assert heard(of_cid) == told(study, ana=True, bor=False)
        assert heard(of_bor) == told(study, bor=False)
        assert is_silent(of_ana)


@pytest.mark.parametrize("is_editing", [None, 1, "true"])
def test_a_presence_says_whether_it_edits(feed_urls, study, ana, is_editing):
    with by_token(feed_urls[0], ana) as socket:
        listen(socket, study)
        assert ask(socket, type="presence", study=str(study.pk), is_editing=is_editing)["code"] == "invalid"
        assert ask(socket, type="ping") == {"type": "pong"}


def test_nobody_is_at_a_study_that_they_do_not_listen_to_or_may_not_see(feed_urls, study, ana, empty_broker: Redis):
    stranger = make_user(Role.NEUROLOGIST, site=create_site(name="Elsewhere"), username="eva")

    with by_token(feed_urls[0], ana) as of_ana, by_token(feed_urls[0], stranger) as of_stranger:
        listen(of_ana, study)
        assert listen(of_stranger, study)["code"] == "not_found"
        answer = ask(of_stranger, type="presence", study=str(study.pk), is_editing=True)
        assert (answer["type"], answer["code"]) == ("error", "invalid")
        assert is_silent(of_ana)

    assert empty_broker.keys("presence:*") == []


def test_nothing_is_left_behind(feed_urls, study, ana, empty_broker: Redis):
    with by_token(feed_urls[0], ana) as socket:
        listen(socket, study)
        be_at(socket, study)
        heard(socket)
        assert len(empty_broker.keys("presence:*")) == 2
        say(socket, type="unsubscribe", topic="study", study=str(study.pk))
        heard(socket)
        assert empty_broker.keys("presence:*") == []

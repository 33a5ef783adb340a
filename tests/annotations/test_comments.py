"""What readers say to each other about a study: kept, settled once, heard by who looks on."""

import pytest

from plaqueview.annotations.models import Comment
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import desk_of, make_desk
from tests.inference.scenes import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(desk) -> str:
    return f"studies/{desk.study.pk}/comments"


def test_a_comment_is_pinned_to_a_voxel_of_a_version(desk, address, announced):
    answer = desk.post(address, {"text": "A vessel?", "annotation": str(desk.prediction.pk), "anchor": [4, 24, 16]})

    body = answer.json()
    comment = Comment.objects.get()
    assert answer.status_code == 201
    assert body == {
        "id": str(comment.pk),
        "author": desk.reader.username,
        "created": comment.created.isoformat(),
        "text": "A vessel?",
        "annotation": str(desk.prediction.pk),
        "anchor": [4, 24, 16],
        "resolved_at": None,
        "resolved_by": None,
    }
    assert announced == [{"type": "comment.changed", "study": str(desk.study.pk), "comment": body["id"]}]


def test_comments_are_listed_oldest_first(desk, address):
    desk.post(address, {"text": "First."})
    desk_of(desk.study, desk.prediction).post(address, {"text": "Second."})

    body = desk.client.get(f"/api/v1/{address}").json()

    assert (body["count"], [row["text"] for row in body["results"]]) == (2, ["First.", "Second."])
    assert [(row["annotation"], row["anchor"]) for row in body["results"]] == [(None, None), (None, None)]


def test_a_comment_is_settled_once_by_whoever_was_first(desk, address, announced):
    id_ = desk.post(address, {"text": "A vessel?"}).json()["id"]
    other = desk_of(desk.study, desk.prediction)
    announced.clear()

    first = other.post(f"comments/{id_}/resolve", {})
    again = desk.post(f"comments/{id_}/resolve", {})

    assert (first.status_code, first.json()["resolved_by"]) == (200, other.reader.username)
    assert again.json() == first.json()
    assert [event["type"] for event in announced] == ["comment.changed"]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"text": ""}, 400, "text"),
        ({"text": "x" * 4001}, 400, "text"),
        ({"anchor": [1, 2]}, 400, "anchor"),
        ({"anchor": [6, 0, 0]}, 422, "anchor"),
        ({"annotation": "5f0c5ab6-7a55-4a3c-9d06-0c3f3a0f5f51"}, 422, "annotation"),
    ],
)
def test_a_comment_that_points_nowhere_is_refused(desk, address, changes, status, field):
    body = {"text": "A vessel?", "annotation": str(desk.prediction.pk), "anchor": [0, 0, 0]} | changes

    answer = desk.post(address, body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
    assert not Comment.objects.exists()


def test_a_version_of_another_study_is_not_commented_here(desk, address):
    other = make_desk(make_study(site=desk.study.site, uid="1.2.4"))

    answer = desk.post(address, {"text": "Here?", "annotation": str(other.prediction.pk)})

    assert answer.status_code == 422


def test_who_only_reads_says_nothing(desk, address):
    desk.post(address, {"text": "A vessel?"})
    integrator = token_client(make_user(Role.INTEGRATOR, site=desk.study.site))
    resolve = f"/api/v1/comments/{Comment.objects.get().pk}/resolve"

    assert integrator.get(f"/api/v1/{address}").json()["count"] == 1
    assert integrator.post(f"/api/v1/{address}", {"text": "Hm."}, content_type="application/json").status_code == 403
    assert integrator.post(resolve).status_code == 403
    assert Comment.objects.get().resolved_at is None


def test_comments_are_on_record_without_their_text(desk, address):
    id_ = desk.post(address, {"text": "Novak again."}).json()["id"]
    desk.client.get(f"/api/v1/{address}")
    desk.post(f"comments/{id_}/resolve", {})

    events = AuditEvent.objects.filter(kind__startswith="comment.").order_by("sequence")
    assert [(event.kind, event.object_id) for event in events] == [
        ("comment.created", id_),
        ("comment.read", str(desk.study.pk)),
        ("comment.resolved", id_),
    ]
    assert "Novak" not in str([event.details for event in events])

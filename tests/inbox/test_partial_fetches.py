"""A study of which the peer does not send everything: what came is kept, and what did not come is named."""

import pytest

from plaqueview.inbox.models import Fetch
from plaqueview.studies.models import Instance
from tests.inbox.archive import open_department, work
from tests.pacs.senders import sender
from tests.studies.dicom_files import series

pytestmark = pytest.mark.django_db

# A vendor's own, which no list has.
CSA_NON_IMAGE = "1.3.12.2.1107.5.9.1"
PAST = "2024-01-01T00:00:00Z"


@pytest.fixture
def department():
    return open_department()


def with_stranger(count: int):
    """A study of so many instances; two of them are of a class that nobody proposes."""
    datasets = series(count)
    for dataset in datasets[1:3]:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CSA_NON_IMAGE
    return datasets


def tried_again(department, node, fetch: dict) -> dict:
    Fetch.objects.update(next_attempt_at=PAST)
    work(node)
    return department.client.get(f"/api/v1/fetches/{fetch['id']}").json()


def test_what_came_is_kept_and_a_second_attempt_that_brings_nothing_new_is_done_and_says_what_is_missing(department):
    datasets = with_stranger(40)
    with sender(datasets) as port:
        node = department.node(ae_title="ARCHIVE", port=port)
        first = department.fetched(node, datasets[0].StudyInstanceUID)
        kept = Instance.objects.count()
        second = tried_again(department, node, first)

    assert (first["state"], first["accepted_count"], kept) == ("failed", 38, 38)
    assert first["answer"] == f"{node.address}: 2 instances of the study did not come"
    assert (second["state"], second["duplicate_count"], second["attempts"]) == ("done", 38, 2)
    assert second["answer"] == f"38 instances: 38 here already; {first['answer']}"
    assert [one["outcome"] for one in second["remarks"]] == ["not_sent"] * 2 + ["duplicate"] * 38
    assert second["remarks"][:2] == [
        {"sop_instance_uid": one.SOPInstanceUID, "outcome": "not_sent", "reason": "the peer did not send it"}
        for one in datasets[1:3]
    ]
    assert second["next_attempt_at"] is None


def test_as_long_as_something_new_comes_or_nothing_at_all_it_is_tried_again(department):
    datasets = with_stranger(3)
    with sender(datasets[:2]) as port:
        node = department.node(ae_title="ARCHIVE", port=port)
        first = department.fetched(node, datasets[0].StudyInstanceUID)
        Instance.objects.all().delete()
        again = tried_again(department, node, first)
    with sender(datasets[1:]) as port:
        empty = department.node("Empty", ae_title="ARCHIVE", port=port)
        nothing = tried_again(department, empty, department.fetched(empty, datasets[0].StudyInstanceUID))

    assert (first["state"], again["state"], again["accepted_count"]) == ("failed", "failed", 1)
    assert (nothing["state"], nothing["attempts"], nothing["accepted_count"]) == ("failed", 2, 0)

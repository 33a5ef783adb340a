"""Several readers at one draft, on real connections: one of them wins, the others are told, nothing is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from plaqueview.accounts.models import User
from plaqueview.annotations import services
from plaqueview.annotations.models import Annotation, Draft, ReviewStep
from plaqueview.audit.models import AuditEvent
from plaqueview.audit.services import verify_chain
from plaqueview.core.access import Role
from plaqueview.core.errors import PlaqueViewError
from plaqueview.core.preconditions import Precondition
from plaqueview.imaging import mask_codec
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.annotations.scenes import predicted_labels
from tests.inference.scenes import claimed, make_study, segmentation

pytestmark = pytest.mark.django_db(transaction=True)

READERS = 6
NEW = Precondition(is_for_new=True)
FIRST = Precondition(frozenset({'"1"'}))


@pytest.fixture
def study() -> Study:
    study = make_study()
    inference.complete(claimed(study), segmentation=segmentation())
    return study


@pytest.fixture
def readers(study) -> list[User]:
    return [make_user(Role.NEUROLOGIST, site=study.site) for _ in range(READERS)]


def all_at_once(works: list[Callable[[], object]]) -> list[object]:
    """What each work returned, or the name of the problem that it raised, when all of them start together."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except PlaqueViewError as problem:
            return problem.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def saving(study: Study, reader: User, precondition: Precondition, mark: int = 0) -> Callable[[], Draft]:
    """Saves the prediction with one more voxel, by which the reader's mask is known."""
    base = Annotation.objects.get(study=study, version=1)
    labels = predicted_labels()
    labels[0, 0, mark] = 1
    content = services.DraftContent(base.pk, mask_codec.encode(labels), [])
    return lambda: services.save_draft(study_id=study.pk, precondition=precondition, content=content, actor=reader)


def test_one_of_many_readers_makes_the_draft(study, readers):
    answers = all_at_once([saving(study, reader, NEW, mark) for mark, reader in enumerate(readers)])

    (winner,) = (answer for answer in answers if isinstance(answer, Draft))
    assert answers.count("precondition_failed") == READERS - 1
    stored = Draft.objects.get()
    assert (stored.pk, stored.revision, bytes(stored.mask)) == (winner.pk, 1, bytes(winner.mask))


def test_one_of_many_savings_of_the_same_revision_wins(study, readers):
    saving(study, readers[0], NEW)()

    answers = all_at_once([saving(study, reader, FIRST, mark) for mark, reader in enumerate(readers)])

    (winner,) = (answer for answer in answers if isinstance(answer, Draft))
    assert answers.count("precondition_failed") == READERS - 1
    stored = Draft.objects.get()
    assert (stored.revision, stored.author_id, bytes(stored.mask)) == (2, winner.author_id, bytes(winner.mask))
    assert verify_chain().problems == ()


def test_a_draft_that_is_submitted_many_times_at_once_is_one_version(study, readers):
    draft = saving(study, readers[0], NEW)()

    submissions = all_at_once(
        [
            lambda reader=reader: services.submit(draft_id=draft.pk, precondition=FIRST, comment="", actor=reader)
            for reader in readers
        ]
    )

    assert [one.annotation.pk for one in submissions] == [draft.pk] * READERS
    assert sum(one.is_new for one in submissions) == 1
    assert Annotation.objects.filter(study=study).count() == 2
    assert ReviewStep.objects.count() == 1
    assert AuditEvent.objects.filter(kind="annotation.submitted").count() == 1


def test_what_is_saved_while_another_submits_is_either_in_the_version_or_refused(study, readers):
    draft = saving(study, readers[0], NEW)()

    saved, submitted = all_at_once(
        [
            saving(study, readers[0], FIRST, 5),
            lambda: services.submit(draft_id=draft.pk, precondition=FIRST, comment="", actor=readers[1]),
        ]
    )

    if isinstance(saved, Draft):
        assert submitted == "precondition_failed"
        assert Draft.objects.open().get().revision == 2
    else:
        assert saved == "precondition_failed"
        assert submitted.annotation.version == 2
        assert not Draft.objects.open().exists()


def test_a_version_that_is_approved_and_returned_at_once_takes_one_step(study, readers):
    draft = saving(study, readers[0], NEW)()
    services.submit(draft_id=draft.pk, precondition=FIRST, comment="", actor=readers[0])

    answers = all_at_once(
        [
            lambda: services.approve(annotation_id=draft.pk, comment="", actor=readers[1]),
            lambda: services.give_back(annotation_id=draft.pk, comment="No.", actor=readers[2]),
        ]
    )

    assert answers.count("conflict") == 1
    version = Annotation.objects.get(pk=draft.pk)
    assert list(version.review.values_list("step", flat=True)) == ["submitted", version.state]
    study.refresh_from_db()
    assert study.state == {"approved": "approved", "returned": "ready"}[version.state]


def test_a_result_and_a_submission_at_once_are_two_versions_and_the_reader_s_is_shown(study, readers):
    draft = saving(study, readers[0], NEW)()
    claim = claimed(study, actor=readers[0])

    all_at_once(
        [
            lambda: inference.complete(claim, segmentation=segmentation()),
            lambda: services.submit(draft_id=draft.pk, precondition=FIRST, comment="", actor=readers[0]),
        ]
    )

    assert sorted(Annotation.objects.filter(study=study).values_list("version", flat=True)) == [1, 2, 3]
    study.refresh_from_db()
    assert (study.current_annotation_id, study.state) == (draft.pk, "in_review")

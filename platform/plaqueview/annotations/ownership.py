"""Whose a draft is, and who may write one now."""

from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.annotations.models import BlindedReading, DoubleReading, DoubleReadingState
from plaqueview.core.errors import ConflictError
from plaqueview.studies.models import Study


def draft_owner(study: Study, actor: User) -> User | None:
    """The reader whose own draft of the study the actor works on; None where the readers share one.

    While a study is read blinded, everybody is alone with it: who does not read it has no draft either.
    """
    return actor if DoubleReading.objects.blinded().filter(study=study).exists() else None


def require_turn(study: Study, actor: User) -> None:
    """Called before a draft of the study is written or submitted.

    Raises: ConflictError when the study is under double reading and it is not the actor's turn.
    """
    ongoing = DoubleReading.objects.ongoing().filter(study=study).select_related("adjudicator").first()
    if ongoing is None:
        return
    if ongoing.state == DoubleReadingState.ADJUDICATION:
        if ongoing.adjudicator_id != actor.pk:
            adjudicator = ongoing.adjudicator.get_username()
            raise ConflictError(f"the study is under double reading; {adjudicator} decides between its readers")
        return
    own = ongoing.readings.filter(reader=actor).first()
    if own is None:
        raise ConflictError("the study is under double reading by others; it can be read again when that is over")
    if own.annotation_id is not None:
        raise ConflictError("you have submitted your reading; the study waits for the other reader")


def is_blinded(study_id: UUID, reader: User) -> bool:
    """Whether what the reader says of the study reaches nobody else yet."""
    return BlindedReading.objects.filter(
        double_reading__study=study_id, double_reading__state=DoubleReadingState.READING, reader=reader
    ).exists()


def readers_hidden_from(study_id: UUID, user_id: UUID) -> set[UUID]:
    """The readers of the study whose presence the user must not notice: the other one, while the user reads blinded."""
    of_study = BlindedReading.objects.filter(
        double_reading__study=study_id, double_reading__state=DoubleReadingState.READING
    )
    readers = set(of_study.values_list("reader_id", flat=True))
    return readers - {user_id} if user_id in readers else set()

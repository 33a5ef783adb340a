"""What readers say of single lesions: confirmed, reclassified, false positive, added."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from plaqueview.annotations.models import Evidence
from plaqueview.core.errors import InvalidError
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import LesionTable

MOST_STATEMENTS = 2000
LONGEST_REASON = 500

REASONS_OF_FALSE_POSITIVES = ("artefact", "vessel", "normal_variant", "choroid_plexus", "not_demyelinating")
OTHER_REASON = "other: "


class StatementKind(StrEnum):
    CONFIRMED = "confirmed"
    RECLASSIFIED = "reclassified"
    FALSE_POSITIVE = "false_positive"
    ADDED = "added"


@dataclass(frozen=True)
class Statement:
    """One reader's word on the lesion at a voxel.

    `anchor` is (slice, row, column). `lesion_class` is the reader's, of a false positive what it had been. `author`
    and `created` are None until the server has signed it.
    """

    id: UUID
    kind: StatementKind
    anchor: tuple[int, int, int]
    lesion_class: LesionClass
    evidence: Evidence | None
    reason: str
    author: str | None = None
    created: datetime | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:  # Any: JSON
        """The inverse of `as_json`."""
        slice_index, row, column = stored["anchor"]
        return cls(
            id=UUID(stored["id"]),
            kind=StatementKind(stored["kind"]),
            anchor=(slice_index, row, column),
            lesion_class=LesionClass(stored["lesion_class"]),
            evidence=Evidence(stored["evidence"]) if stored["evidence"] else None,
            reason=stored["reason"],
            author=stored["author"],
            created=datetime.fromisoformat(stored["created"]),
        )

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "id": str(self.id),
            "kind": self.kind.value,
            "anchor": list(self.anchor),
            "lesion_class": self.lesion_class.value,
            "evidence": self.evidence.value if self.evidence else None,
            "reason": self.reason,
            "author": self.author,
            "created": self.created.isoformat() if self.created else None,
        }


def check(statements: Sequence[Statement], shape: tuple[int, int, int]) -> None:
    """Raises: InvalidError when a statement cannot be of this grid, or lacks its evidence or its reason."""
    if len(statements) > MOST_STATEMENTS:
        raise InvalidError(f"there are {len(statements)} statements, at most {MOST_STATEMENTS} are kept")
    if len({statement.id for statement in statements}) < len(statements):
        raise InvalidError("two statements have the same id", fields={"statements": "each needs an id of its own"})
    for index, statement in enumerate(statements):
        for problem in _problems(statement, shape):
            raise InvalidError(problem, fields={f"statements.{index}": problem})


def _problems(statement: Statement, shape: tuple[int, int, int]) -> Iterator[str]:
    if not all(0 <= index < size for index, size in zip(statement.anchor, shape, strict=True)):
        yield f"the anchor {statement.anchor} lies outside of the grid {shape}"
    if statement.kind is StatementKind.CONFIRMED and statement.evidence is None:
        yield f"a confirmation needs its evidence, one of {', '.join(Evidence.values)}"
    if statement.kind is StatementKind.FALSE_POSITIVE and not _is_reason(statement.reason):
        known = ", ".join(REASONS_OF_FALSE_POSITIVES)
        yield f"the reason of a false positive is {statement.reason!r}, need one of {known}, or other: and what"


def _is_reason(reason: str) -> bool:
    is_other = reason.startswith(OTHER_REASON) and reason != OTHER_REASON
    return is_other or reason in REASONS_OF_FALSE_POSITIVES


def sign(statements: Iterable[Statement], *, known: Iterable[Statement], author: str, now: datetime) -> list[Statement]:
    """Each statement with who said it and when: whom it was known from, else the author, now.

    A statement that changed in any way is a new one: nobody's name stays under another's words.
    """
    said = {replace(statement, author=None, created=None): statement for statement in known}
    return [said.get(one) or replace(one, author=author, created=now) for one in statements]


@dataclass(frozen=True)
class LesionWord:
    """What the statements say of one lesion: the last one about it, and the confirmation that still stands."""

    last: Statement
    confirmation: Statement | None


def words_by_lesion(statements: Iterable[Statement], table: LesionTable) -> dict[int, LesionWord]:
    """By the number of the lesion at their anchor, in their order; lesions that nobody spoke of are not in it.

    A reclassification takes an earlier confirmation back.
    """
    words: dict[int, LesionWord] = {}
    for statement in statements:
        number = int(table.lesion_numbers[statement.anchor])
        if number == 0 or statement.kind is StatementKind.FALSE_POSITIVE:
            continue
        before = words[number].confirmation if number in words else None
        confirmation = {StatementKind.CONFIRMED: statement, StatementKind.RECLASSIFIED: None}.get(
            statement.kind, before
        )
        words[number] = LesionWord(statement, confirmation)
    return words


@dataclass(frozen=True)
class Contradiction:
    """What a statement says and the mask does not bear out; `index` is the statement's, `detail` is for the reader."""

    index: int
    statement: Statement
    detail: str


def contradictions(statements: Sequence[Statement], table: LesionTable) -> list[Contradiction]:
    """The statements that have no lesion, then the confirmations whose lesion is of the other class."""
    nowhere = f"there is no lesion by the rule: {table.rule.sentence}"
    found = [
        _contradiction(index, statement, nowhere)
        for index, statement in enumerate(statements)
        if statement.kind is not StatementKind.FALSE_POSITIVE and table.lesion_numbers[statement.anchor] == 0
    ]
    for number, word in words_by_lesion(statements, table).items():
        lesion_class = table.lesions[number - 1].lesion_class
        if word.confirmation and word.confirmation.lesion_class is not lesion_class:
            index = statements.index(word.confirmation)
            found.append(_contradiction(index, word.confirmation, f"the lesion is {lesion_class}"))
    return found


def require_agreement(statements: Sequence[Statement], table: LesionTable) -> None:
    """Raises: InvalidError when the mask contradicts a statement; it names every one."""
    found = contradictions(statements, table)
    if found:
        raise InvalidError(found[0].detail, fields={f"statements.{one.index}": one.detail for one in found})


def _contradiction(index: int, statement: Statement, found: str) -> Contradiction:
    slice_index, row, column = statement.anchor
    said = f"{statement.lesion_class} lesion {statement.kind.value}"
    return Contradiction(
        index, statement, f"{said} at slice {slice_index + 1}, row {row}, column {column}, but {found}"
    )

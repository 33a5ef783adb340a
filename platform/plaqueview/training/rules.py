"""Which approved versions a snapshot takes in, as its author says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from plaqueview.accounts.services import IMPORT_ACCOUNT
from plaqueview.annotations.models import Annotation, Step
from plaqueview.imaging.protocol import TITLES, Check, Verdict
from plaqueview.studies.models import Series
from plaqueview.studies.protocols import findings_of
from plaqueview.training.models import LabelSource

CONFIRMED_SOURCES = tuple(source for source in LabelSource if source != LabelSource.NONE)

QUALITY_CHECKS = (Check.COVERAGE, Check.NOISE, Check.GHOSTING)


@dataclass(frozen=True)
class InclusionRules:
    """Empty means no limit. `scanners` are parts of scanner names; `minimum_reviews` counts the people who stand behind
    a version: its author and who approved it here. `needs_quality`: coverage, noise and ghosting of the FLAIR were
    measured, and none was objected to. `trusted_sources` are those whose classes are trained on.
    """

    studied_from: date | None = None
    studied_until: date | None = None
    scanners: tuple[str, ...] = ()
    minimum_reviews: int = 0
    needs_quality: bool = False
    trusted_sources: tuple[LabelSource, ...] = CONFIRMED_SOURCES

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:  # Any: JSON
        """The inverse of `as_json`, also of rules from before one of them."""
        return cls(
            studied_from=_date_in(stored["studied_from"]),
            studied_until=_date_in(stored["studied_until"]),
            scanners=tuple(stored["scanners"]),
            minimum_reviews=stored["minimum_reviews"],
            needs_quality=stored.get("needs_quality", False),
            trusted_sources=tuple(map(LabelSource, stored["trusted_sources"])),
        )

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "studied_from": self.studied_from.isoformat() if self.studied_from else None,
            "studied_until": self.studied_until.isoformat() if self.studied_until else None,
            "scanners": list(self.scanners),
            "minimum_reviews": self.minimum_reviews,
            "needs_quality": self.needs_quality,
            "trusted_sources": [source.value for source in self.trusted_sources],
        }


def objections(rules: InclusionRules, annotation: Annotation, *, scanner: str) -> Iterator[str]:
    """Why the version is not taken in, a sentence for each rule that it breaks."""
    studied = annotation.study.study_date
    if (rules.studied_from or rules.studied_until) and studied is None:
        yield "the study has no date"
    if studied is not None and rules.studied_from and studied < rules.studied_from:
        yield f"the study is older than {rules.studied_from}"
    if studied is not None and rules.studied_until and studied > rules.studied_until:
        yield f"the study is newer than {rules.studied_until}"
    if rules.scanners and not any(name.casefold() in scanner.casefold() for name in rules.scanners):
        yield f"the scanner is {scanner}, none of those asked for"
    reviews = review_count(annotation)
    if reviews < rules.minimum_reviews:
        yield f"{reviews} people stand behind the version, need {rules.minimum_reviews}"
    if rules.needs_quality:
        yield from _quality_objections(annotation.series)


def _quality_objections(flair: Series) -> Iterator[str]:
    if flair.quality is None:
        yield "the quality of the FLAIR was not measured"
        return
    for finding in findings_of(flair):
        if finding.check in QUALITY_CHECKS and finding.verdict == Verdict.WARNING:
            yield f"{TITLES[finding.check]}: {finding.found}, need {finding.recommended}"


def review_count(annotation: Annotation) -> int:
    """The people of this department behind the version; an import has none."""
    names = {annotation.author.get_username()} if annotation.author else set()
    steps = annotation.review.filter(step=Step.APPROVED).select_related("by")
    return len((names | {step.by.get_username() for step in steps}) - {IMPORT_ACCOUNT})


def _date_in(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

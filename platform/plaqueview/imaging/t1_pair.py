"""Which T1 before contrast agent goes with which T1 after it: the same sequence of the same head, minutes earlier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plaqueview.imaging.completeness import is_orientation, plane_of
from plaqueview.imaging.post_contrast import (
    BEFORE_CONTRAST_WORDS,
    NO_T1_OF_A_HEAD,
    RULES,
    after_by_name,
    agent,
    best_by,
    t1_by_name,
    t1_by_timing,
)
from plaqueview.imaging.series_choice import Candidate, Rule, SeriesHeader, candidate_by, incomplete, named, reformatted

# A difference of two sequences is one of the sequences: their times and voxels may differ by this factor.
LARGEST_RATIO = 1.5


@dataclass(frozen=True)
class T1PairChoice:
    """Two series, or None and None, and why."""

    before: str | None
    after: str | None
    reason: str


def choose_t1_pair(series: Sequence[SeriesHeader]) -> T1PairChoice:
    """The best T1 after contrast agent that has a T1 before it of the same kind.

    Of two before it with the same score none is chosen, whichever was acquired later: one of them may be after it, too.
    """
    by_uid = {header.series_instance_uid: header for header in series}
    others, refusals = list(series), []
    while rivals := best_by(RULES, others):
        after = by_uid[rivals[0].series_instance_uid]
        if len(rivals) > 1:
            refusals.append(f"{_names(rivals, by_uid)} are equally good as the T1 after contrast agent")
            break
        before = _best_before(after, series)
        if len(before) == 1:
            return _chosen(before[0], after, by_uid)
        refusals.append(_no_before(before, after, series))
        others.remove(after)
    none = f"none of {len(series)} series is a T1 after contrast agent"
    return T1PairChoice(None, None, refusals[0] if refusals else none)


def rules_before(after: SeriesHeader) -> tuple[Rule, ...]:
    """What makes a series the T1 before contrast agent that goes with the T1 after it."""
    return (*BEFORE, *_fits(after), *MERITS)


def _best_before(after: SeriesHeader, series: Sequence[SeriesHeader]) -> list[Candidate]:
    candidates = [candidate_by(rules_before(after), one) for one in series]
    possible = [one for one in candidates if not one.is_excluded]
    highest = max((one.score for one in possible), default=None)
    return sorted((one for one in possible if one.score == highest), key=lambda one: one.series_instance_uid)


def _chosen(candidate: Candidate, after: SeriesHeader, by_uid: dict[str, SeriesHeader]) -> T1PairChoice:
    before = by_uid[candidate.series_instance_uid]
    reason = f"{before.name} is taken as the T1 before contrast agent of {after.name}: {'; '.join(candidate.reasons)}"
    return T1PairChoice(before.series_instance_uid, after.series_instance_uid, reason)


def _no_before(rivals: Sequence[Candidate], after: SeriesHeader, series: Sequence[SeriesHeader]) -> str:
    by_uid = {header.series_instance_uid: header for header in series}
    if rivals:
        return f"{_names(rivals, by_uid)} are equally good as the T1 before contrast agent of {after.name}"
    unfit = [one for one in series if not candidate_by(BEFORE, one).is_excluded]
    if not unfit:
        return f"none of {len(series)} series is a T1 before contrast agent; {after.name} is one after it"
    why = [f"{one.name}: {', '.join(candidate_by(_fits(after), one).reasons)}" for one in unfit]
    return f"no T1 before contrast agent goes with {after.name}: {'; '.join(why)}"


def _names(candidates: Sequence[Candidate], by_uid: dict[str, SeriesHeader]) -> str:
    return " and ".join(by_uid[one.series_instance_uid].name for one in candidates)


# --- the findings ---------------------------------------------------------------------------------------------------

before_by_name = named(BEFORE_CONTRAST_WORDS, "taken before contrast agent")


def _after_contrast(header: SeriesHeader) -> str | None:
    """Scanners write the agent into every series of a visit once it is typed in: a name that says before prevails."""
    return None if before_by_name(header) else (after_by_name(header) or agent(header))


def _not_earlier(after: SeriesHeader) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        if header.acquired_at and after.acquired_at:
            return None if header.acquired_at < after.acquired_at else "it was not acquired earlier"
        return None if before_by_name(header) else "neither name nor time says that it was acquired earlier"

    return finding


def _other_sequence(after: SeriesHeader) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        here, there = sorted(header.scanning_sequence), sorted(after.scanning_sequence)
        is_other = here and there and here != there
        return f"scanning sequence is {'/'.join(here)}, not {'/'.join(there)}" if is_other else None

    return finding


def _other_time(after: SeriesHeader, field: str, name: str) -> Callable[[SeriesHeader], str | None]:
    """0 is how some scanners write that there is none; what one of the two does not say is not compared."""

    def finding(header: SeriesHeader) -> str | None:
        here_ms, there_ms = getattr(header, field), getattr(after, field)
        is_other = here_ms and there_ms and _ratio(here_ms, there_ms) > LARGEST_RATIO
        return f"{name} is {here_ms:g} ms, not {there_ms:g} ms" if is_other else None

    return finding


def _other_voxels(after: SeriesHeader) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        here, there = header.spacing_mm, after.spacing_mm
        if here is None or there is None or max(map(_ratio, here, there)) <= LARGEST_RATIO:
            return None
        return f"its voxels are {_millimetres(here)}, not {_millimetres(there)}"

    return finding


def _other_plane(after: SeriesHeader) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        orientations = [one.image_orientation_patient for one in (header, after)]
        if not all(map(is_orientation, orientations)):
            return "the plane of its slices, or of those after it, is not known"
        here, there = map(plane_of, orientations)
        return f"its slices are {here}, not {there}" if here != there else None

    return finding


def _ratio(one: float, other: float) -> float:
    return max(one, other) / min(one, other)


def _millimetres(spacing_mm: tuple[float, float, float]) -> str:
    return f"{' x '.join(f'{step:.1f}' for step in spacing_mm)} mm"


BEFORE: tuple[Rule, ...] = (*NO_T1_OF_A_HEAD, Rule("after contrast", None, _after_contrast))

MERITS: tuple[Rule, ...] = (
    Rule("before contrast by name", 30, before_by_name),
    Rule("T1 by name", 20, t1_by_name),
    Rule("T1 by timing", 20, t1_by_timing),
    Rule("reformatted", -15, reformatted),
    Rule("incomplete", -30, incomplete),
)


def _fits(after: SeriesHeader) -> tuple[Rule, ...]:
    return (
        Rule("not earlier", None, _not_earlier(after)),
        Rule("other sequence", None, _other_sequence(after)),
        Rule("other echo time", None, _other_time(after, "echo_time_ms", "echo time")),
        Rule("other repetition time", None, _other_time(after, "repetition_time_ms", "repetition time")),
        Rule("other inversion time", None, _other_time(after, "inversion_time_ms", "inversion time")),
        Rule("other voxels", None, _other_voxels(after)),
        Rule("other plane", None, _other_plane(after)),
    )

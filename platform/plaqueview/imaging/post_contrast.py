"""Which series of a study is the T1 after contrast agent: a table of rules like that of the FLAIR, with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plaqueview.imaging.series_choice import (
    CONTRAST_WORDS,
    FLAIR_WORDS,
    LOCALIZER_WORDS,
    MAP_KINDS,
    MASK_WORDS,
    PROJECTION_WORDS,
    T1_WORDS,
    T2_WORDS,
    Candidate,
    Rule,
    SeriesHeader,
    axial,
    candidate_by,
    few_slices,
    incomplete,
    is_axial,
    kind_of_image,
    named,
    other_modality,
    reformatted,
    spine,
    word_of,
)

# Times of T1 weighting: spin and gradient echoes by a short repetition time, prepared gradient echoes by an inversion
# time that nulls no fluid. Source: Brain MRI protocols, Wattjes et al., Lancet Neurol 2021 (MAGNIMS).
LONGEST_T1_ECHO_MS = 30.0
LONGEST_T1_REPETITION_MS = 1200.0
T1_INVERSION_MS = (500.0, 1300.0)

OTHER_CONTRAST_WORDS = (
    r"\b(pd|pdw|dwi|dti|adc|trace\w*|diff\w*|ep2d\w*|swi|swan|tof|mra|mrv|angio\w*|perf\w*|asl|dsc|dce|dyn\w*|bold|"
    r"t2star|hemo|spectro\w*|mrs|sub|subtr\w*)\b|susceptib|proton"
)
BEFORE_CONTRAST_WORDS = r"\b(pre|nativ\w*|ohne|without|non|plain)\b"
AFTER_CONTRAST_WORDS = rf"{CONTRAST_WORDS}|\bt1 ?(c|ce|gd|km)\b|\bpost(?!er)"
NO_AGENT = {"no", "none", "ohne", "without", "0", "n"}


@dataclass(frozen=True)
class PostContrastChoice:
    """The T1 after contrast agent, or None, and why."""

    series: str | None
    reason: str


def choose_post_contrast_t1(series: Sequence[SeriesHeader]) -> PostContrastChoice:
    """The series that most speaks for a T1 of the head after contrast agent among those that nothing excludes.

    Equal scores are decided by, in this order: complete before incomplete, more slices, the later acquisition, the
    higher series number. Series that agree in all of these are not chosen between.
    """
    by_uid = {header.series_instance_uid: header for header in series}
    rivals = best_by(RULES, series)
    if not rivals:
        return PostContrastChoice(None, f"none of {len(series)} series is a T1 after contrast agent")
    best = rivals[0]
    if len(rivals) > 1:
        names = " and ".join(by_uid[one.series_instance_uid].name for one in rivals)
        return PostContrastChoice(None, f"{names} are equally good as the T1 after contrast agent")
    name = by_uid[best.series_instance_uid].name
    return PostContrastChoice(
        best.series_instance_uid, f"{name} is taken as the T1 after contrast agent: {'; '.join(best.reasons)}"
    )


def best_by(rules: Sequence[Rule], series: Sequence[SeriesHeader]) -> list[Candidate]:
    """The series that nothing excludes and none comes before: one, or several that are as good; none of none."""
    by_uid = {header.series_instance_uid: header for header in series}
    candidates = [candidate_by(rules, by_uid[uid]) for uid in sorted(by_uid)]
    possible = [one for one in candidates if not one.is_excluded]
    highest = max((_preference(one, by_uid) for one in possible), default=None)
    return [one for one in possible if _preference(one, by_uid) == highest]


def _preference(candidate: Candidate, by_uid: dict[str, SeriesHeader]) -> tuple[int | str, ...]:
    header = by_uid[candidate.series_instance_uid]
    return (
        candidate.score,
        header.is_complete,
        header.slice_count,
        header.acquired_at,
        -1 if header.series_number is None else header.series_number,
    )


# --- the findings ---------------------------------------------------------------------------------------------------


def _flair(header: SeriesHeader) -> str | None:
    """A FLAIR by name or by timing; T1-FLAIR is a T1 by its own name."""
    is_named = bool(word_of(header, FLAIR_WORDS)) and not word_of(header, T1_WORDS)
    if is_named:
        return "its name says FLAIR"
    long_echo = (header.echo_time_ms or 0.0) > LONGEST_T1_ECHO_MS
    return f"echo time {header.echo_time_ms:g} ms is not T1-weighted" if long_echo else None


def _other_weighting(header: SeriesHeader) -> str | None:
    word = word_of(header, T2_WORDS)
    return f"its name says '{word}': another weighting" if word and not word_of(header, T1_WORDS) else None


def t1_by_name(header: SeriesHeader) -> str | None:
    word = word_of(header, T1_WORDS)
    return f"its name says '{word}'" if word else None


def t1_by_timing(header: SeriesHeader) -> str | None:
    echo_ms, repetition_ms, inversion_ms = header.echo_time_ms, header.repetition_time_ms, header.inversion_time_ms
    if not echo_ms or echo_ms > LONGEST_T1_ECHO_MS:
        return None
    shortest, longest = T1_INVERSION_MS
    if inversion_ms and shortest <= inversion_ms <= longest:
        return f"echo time {echo_ms:g} ms and inversion time {inversion_ms:g} ms are T1-weighted"
    if repetition_ms and repetition_ms <= LONGEST_T1_REPETITION_MS:
        return f"echo time {echo_ms:g} ms and repetition time {repetition_ms:g} ms are T1-weighted"
    return None


def agent(header: SeriesHeader) -> str | None:
    given = header.contrast_bolus_agent.strip()
    return f"contrast agent given: {given}" if given and given.lower() not in NO_AGENT else None


def after_by_name(header: SeriesHeader) -> str | None:
    word = word_of(header, AFTER_CONTRAST_WORDS)
    return f"its name says '{word}'" if word else None


def _no_t1(header: SeriesHeader) -> str | None:
    is_t1 = t1_by_name(header) or t1_by_timing(header)
    return None if is_t1 else "neither name nor timing says T1"


def _no_agent(header: SeriesHeader) -> str | None:
    has_agent = agent(header) or after_by_name(header)
    return None if has_agent else "neither name nor header says that contrast agent was given"


def off_axis(header: SeriesHeader) -> str | None:
    has_orientation = header.image_orientation_patient is not None
    return "slices are not axial" if has_orientation and not is_axial(header) else None


# What is no picture of a head by T1, with contrast agent or without.
NO_T1_OF_A_HEAD: tuple[Rule, ...] = (
    Rule("other modality", None, other_modality),
    Rule("localizer by image type", None, kind_of_image("LOCALIZER")),
    Rule("localizer by name", None, named(LOCALIZER_WORDS, "a localizer")),
    Rule("map", None, kind_of_image(*MAP_KINDS)),
    Rule("few slices", None, few_slices),
    Rule("flair", None, _flair),
    Rule("other weighting", None, _other_weighting),
    Rule("other contrast", None, named(OTHER_CONTRAST_WORDS, "another contrast")),
    Rule("projection", None, named(PROJECTION_WORDS, "a projection")),
    Rule("mask", None, named(MASK_WORDS, "a mask, not an acquisition")),
    Rule("spine", None, spine),
    Rule("no T1", None, _no_t1),
)

RULES: tuple[Rule, ...] = (
    *NO_T1_OF_A_HEAD,
    Rule("before contrast", None, named(BEFORE_CONTRAST_WORDS, "taken before contrast agent")),
    Rule("no contrast agent", None, _no_agent),
    Rule("after contrast by name", 30, after_by_name),
    Rule("contrast agent", 20, agent),
    Rule("T1 by name", 20, t1_by_name),
    Rule("T1 by timing", 20, t1_by_timing),
    Rule("axial", 10, axial),
    Rule("off axis", -10, off_axis),
    Rule("reformatted", -15, reformatted),
    Rule("incomplete", -30, incomplete),
)

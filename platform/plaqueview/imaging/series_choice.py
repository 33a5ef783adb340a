"""Which series of a study is the FLAIR: one table of rules, each with the reason that a reader sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plaqueview.imaging.completeness import is_orientation, plane_of

# A series with less evidence is no FLAIR. The word alone reaches it, and so do the timing attributes alone: anonymised
# studies keep one or the other. An inversion recovery of unknown inversion time does not: it may be a STIR.
LEAST_EVIDENCE = 50

# Inversion times that null fluid, at 1.5 and 3 T, two- and three-dimensional; beyond the outer limits another tissue is
# nulled. Source: De Coene et al., AJNR 1992; Wattjes et al., Lancet Neurol 2021 (MAGNIMS protocol).
FLUID_NULLING_MS = (1500.0, 3000.0)
INVERSION_LIMITS_MS = (1300.0, 3500.0)
SHORTEST_T2_ECHO_MS = 50.0
SHORTEST_FLAIR_REPETITION_MS = 3000.0
FEWEST_SLICES = 8

FLAIR_WORDS = r"flair|dark ?fluid|da ?fl\b"
T1_WORDS = r"(?<![a-z])t1(?!\d)|mp ?rage|\bbravo\b|\btfl\b"
T2_WORDS = r"(?<![a-z])t2(?!\d)"
OTHER_CONTRAST_WORDS = (
    r"\b(pd|pdw|dwi|dti|adc|trace\w*|diff\w*|ep2d\w*|b1000|swi|swan|tof|mra|angio\w*|perf\w*|asl|bold|t2star|gre|hemo|"
    r"spectro\w*|mrs)\b|susceptib|proton"
)
OTHER_INVERSION_WORDS = r"\b(stir|psir|dir)\b|double (inversion|ir)"
PROJECTION_WORDS = r"\b(mip|minip|mnip)\b"
LOCALIZER_WORDS = r"localiz|localis|\bscout|\bsurvey\b|\bloc\b|\b3 ?plane\b|\bcalibration\b|\bsmart ?brain\b"
MASK_WORDS = r"mask|lesion|label|\bseg\b|segm|\broi\b|annot|ventricle|\bwmh\b|\bchange\b"
SPINE_WORDS = r"spine|spinal|\b(c|t|l)sp\b|\bcerv|\bthora|\blumb"
CONTRAST_WORDS = r"\bpost ?(contrast)?\b|\bgd\b|gado|\bkm\b|\bce\b"


@dataclass(frozen=True)
class SeriesHeader:
    """What one series says of itself. Attributes bear DICOM's names; None or empty where the header says nothing.

    `acquired_at` is the date and time of acquisition as DICOM writes them ("20240131093000"), for order only. Of a
    NIfTI, `series_description` is the file's name and only the counts and the geometry are known beside it.
    """

    series_instance_uid: str
    modality: str = "MR"
    series_number: int | None = None
    series_description: str = ""
    protocol_name: str = ""
    body_part_examined: str = ""
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    sequence_name: str = ""
    inversion_time_ms: float | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    contrast_bolus_agent: str = ""
    image_type: tuple[str, ...] = ()
    image_orientation_patient: tuple[float, float, float, float, float, float] | None = None
    slice_count: int = 0
    spacing_mm: tuple[float, float, float] | None = None
    is_complete: bool = True
    acquired_at: str = ""
    is_nifti: bool = False

    @property
    def name(self) -> str:
        number = "" if self.series_number is None else f"{self.series_number} "
        return f"series {number}'{self.series_description or self.protocol_name}'"


@dataclass(frozen=True)
class Rule:
    """`finding` gives the sentence when the rule applies and None when it does not; no points mean exclusion."""

    name: str
    points: int | None
    finding: Callable[[SeriesHeader], str | None]


@dataclass(frozen=True)
class Candidate:
    """One series with its score; `reasons` are the findings, each with its points or the word excluded.

    `evidence` is the sum of the points that speak for it. Those against it only rank it: an incomplete FLAIR is one.
    """

    series_instance_uid: str
    score: int
    evidence: int
    reasons: tuple[str, ...]
    is_excluded: bool

    @property
    def is_accepted(self) -> bool:
        return not self.is_excluded and self.evidence >= LEAST_EVIDENCE


@dataclass(frozen=True)
class SeriesChoice:
    """The FLAIR of a study, or None, and why. `candidates` holds every series, best first, the excluded last."""

    flair: str | None
    candidates: tuple[Candidate, ...]
    reason: str


def choose_flair(series: Sequence[SeriesHeader]) -> SeriesChoice:
    """The series that most speaks for FLAIR among those that nothing excludes and that reach LEAST_EVIDENCE.

    Equal scores are decided by, in this order: complete before incomplete, axial before other orientations, more
    slices, the later acquisition, the higher series number. Series that agree in all of these are not chosen between.
    """
    by_uid = {header.series_instance_uid: header for header in series}
    in_any_order = [candidate_by(RULES, each) for each in sorted(series, key=lambda one: one.series_instance_uid)]
    candidates = sorted(in_any_order, key=lambda one: _preference(one, by_uid), reverse=True)
    accepted = [one for one in candidates if one.is_accepted]
    if not accepted:
        return SeriesChoice(None, tuple(candidates), _no_flair(candidates, by_uid))
    best = accepted[0]
    rivals = [one for one in accepted if _preference(one, by_uid) == _preference(best, by_uid)]
    if len(rivals) > 1:
        names = " and ".join(by_uid[one.series_instance_uid].name for one in rivals)
        return SeriesChoice(None, tuple(candidates), f"{names} are equally good FLAIRs; a reader has to choose")
    return SeriesChoice(best.series_instance_uid, tuple(candidates), _chosen(accepted, by_uid))


def candidate_by(rules: Sequence[Rule], header: SeriesHeader) -> Candidate:
    """The series as the rules find it."""
    found = [(rule, rule.finding(header)) for rule in rules]
    reasons = tuple(f"{sentence} ({_weight(rule)})" for rule, sentence in found if sentence)
    points = [rule.points for rule, sentence in found if sentence]
    score, evidence = sum(each or 0 for each in points), sum(max(each or 0, 0) for each in points)
    return Candidate(header.series_instance_uid, score, evidence, reasons, is_excluded=None in points)


def _weight(rule: Rule) -> str:
    return "excluded" if rule.points is None else f"{rule.points:+d}"


def _preference(candidate: Candidate, by_uid: dict[str, SeriesHeader]) -> tuple[int | str, ...]:
    header = by_uid[candidate.series_instance_uid]
    return (
        not candidate.is_excluded,
        candidate.is_accepted,
        candidate.score,
        header.is_complete,
        is_axial(header),
        header.slice_count,
        header.acquired_at,
        -1 if header.series_number is None else header.series_number,
    )


def _chosen(accepted: list[Candidate], by_uid: dict[str, SeriesHeader]) -> str:
    best = accepted[0]
    sentence = f"{by_uid[best.series_instance_uid].name} is taken as the FLAIR with {best.score} points"
    if len(accepted) == 1:
        return f"{sentence}; no other series reaches {LEAST_EVIDENCE}"
    second = accepted[1]
    return f"{sentence}; next is {by_uid[second.series_instance_uid].name} with {second.score}"


def _no_flair(candidates: Sequence[Candidate], by_uid: dict[str, SeriesHeader]) -> str:
    if not candidates:
        return "the study has no series"
    best = candidates[0]
    why = "is excluded" if best.is_excluded else f"has {best.evidence} points of the {LEAST_EVIDENCE} needed"
    return f"none of {len(candidates)} series is a FLAIR; the nearest, {by_uid[best.series_instance_uid].name}, {why}"


# --- what a header says -------------------------------------------------------------------------------------------


def _text(header: SeriesHeader) -> str:
    """Description and protocol in lower case, single spaces for punctuation, "+C" and the like spelt out."""
    lower = f"{header.series_description} {header.protocol_name}".lower().replace("_", " ")
    return re.sub(r"\W+", " ", re.sub(r"\+ ?(c|gd|km|k)\b", " post contrast ", lower))


def word_of(header: SeriesHeader, pattern: str) -> str | None:
    match = re.search(pattern, _text(header))
    return match.group().strip() if match else None


def named(pattern: str, meaning: str) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        word = word_of(header, pattern)
        return f"its name says '{word}': {meaning}" if word else None

    return finding


def is_axial(header: SeriesHeader) -> bool:
    orientation = header.image_orientation_patient
    return is_orientation(orientation) and plane_of(orientation) == "axial"


def _nulls_fluid(header: SeriesHeader) -> bool:
    lowest, highest = FLUID_NULLING_MS
    return header.inversion_time_ms is not None and lowest <= header.inversion_time_ms <= highest


def _is_timed_as_flair(header: SeriesHeader) -> bool:
    """Timing is measured, names are typed: it overrules a protocol named after several contrasts."""
    return _nulls_fluid(header) and (header.echo_time_ms or 0.0) >= SHORTEST_T2_ECHO_MS


# --- the findings ---------------------------------------------------------------------------------------------------


def other_modality(header: SeriesHeader) -> str | None:
    return None if header.modality == "MR" else f"modality is {header.modality or 'not given'}, need MR"


def kind_of_image(*kinds: str) -> Callable[[SeriesHeader], str | None]:
    def finding(header: SeriesHeader) -> str | None:
        found = [value for value in header.image_type[2:] if value.upper() in kinds]
        return f"image type says {found[0]}" if found else None

    return finding


def reformatted(header: SeriesHeader) -> str | None:
    values = {value.upper() for value in header.image_type}
    if header.is_nifti or not values & {"DERIVED", "MPR", "REFORMATTED", "PROJECTION IMAGE", "RESAMPLED"}:
        return None
    return f"image type says {'/'.join(header.image_type)}: computed from another series"


def few_slices(header: SeriesHeader) -> str | None:
    return (
        None if header.slice_count >= FEWEST_SLICES else f"{header.slice_count} slices, need at least {FEWEST_SLICES}"
    )


def _inversion_outside(header: SeriesHeader) -> str | None:
    lowest, highest = INVERSION_LIMITS_MS
    if not header.inversion_time_ms or lowest <= header.inversion_time_ms <= highest:
        return None
    tissue = "fat, as STIR does" if header.inversion_time_ms < 300 else "another tissue than fluid"
    return f"inversion time {header.inversion_time_ms:g} ms nulls {tissue}; need {lowest:g} to {highest:g} ms"


def _short_echo(header: SeriesHeader) -> str | None:
    if not header.echo_time_ms or header.echo_time_ms >= SHORTEST_T2_ECHO_MS:
        return None
    return f"echo time {header.echo_time_ms:g} ms is not T2-weighted, need at least {SHORTEST_T2_ECHO_MS:g} ms"


def _short_repetition(header: SeriesHeader) -> str | None:
    if not header.repetition_time_ms or header.repetition_time_ms >= SHORTEST_FLAIR_REPETITION_MS:
        return None
    needed = f"need at least {SHORTEST_FLAIR_REPETITION_MS:g} ms"
    return f"repetition time {header.repetition_time_ms:g} ms is too short for a FLAIR, {needed}"


def _other_weighting(header: SeriesHeader) -> str | None:
    """T1 in the name, also as T1-FLAIR; T2 only when no word and no timing says FLAIR."""
    is_flair = bool(word_of(header, FLAIR_WORDS))
    if _is_timed_as_flair(header) or (is_flair and (header.is_nifti or word_of(header, T2_WORDS))):
        return None
    word = word_of(header, T1_WORDS) or (None if is_flair or not header.is_nifti else word_of(header, T2_WORDS))
    return f"its name says '{word}': another weighting" if word else None


def _other_contrast(header: SeriesHeader) -> str | None:
    word = word_of(header, OTHER_CONTRAST_WORDS)
    if word is None or _is_timed_as_flair(header):
        return None
    return f"its name says '{word}': another contrast"


def spine(header: SeriesHeader) -> str | None:
    word = re.search(SPINE_WORDS, f"{_text(header)} {header.body_part_examined.lower()}")
    return f"its name or body part says '{word.group()}': not a head" if word else None


def _uploaded_nifti(header: SeriesHeader) -> str | None:
    return "a NIfTI file has no sequence attributes: uploading it declares it a FLAIR" if header.is_nifti else None


def _fluid_nulled(header: SeriesHeader) -> str | None:
    return f"inversion time {header.inversion_time_ms:g} ms nulls fluid" if _nulls_fluid(header) else None


def _inversion_recovery(header: SeriesHeader) -> str | None:
    if "IR" in header.scanning_sequence:
        return f"scanning sequence is {'/'.join(header.scanning_sequence)}: inversion recovery"
    if re.search(r"tir|spcir|irfse|tfir", header.sequence_name.lower()):
        return f"sequence name is {header.sequence_name}: inversion recovery"
    return "its name says 'tirm': inversion recovery" if word_of(header, r"\btirm\b") else None


def _long_echo(header: SeriesHeader) -> str | None:
    if (header.echo_time_ms or 0.0) < SHORTEST_T2_ECHO_MS:
        return None
    return f"echo time {header.echo_time_ms:g} ms is T2-weighted"


def _long_repetition(header: SeriesHeader) -> str | None:
    if (header.repetition_time_ms or 0.0) < SHORTEST_FLAIR_REPETITION_MS:
        return None
    return f"repetition time {header.repetition_time_ms:g} ms is as long as a FLAIR needs"


def axial(header: SeriesHeader) -> str | None:
    return "slices are axial" if is_axial(header) else None


def _contrast_agent(header: SeriesHeader) -> str | None:
    if header.contrast_bolus_agent:
        return f"contrast agent given: {header.contrast_bolus_agent}"
    word = word_of(header, CONTRAST_WORDS)
    return f"its name says '{word}': taken after contrast agent" if word else None


def incomplete(header: SeriesHeader) -> str | None:
    return None if header.is_complete else "slices are missing or do not fit together"


# Values of ImageType from the third on that are no picture of the head as FLAIR shows it (PS3.3 C.8.3.1.1.1, vendors).
MAP_KINDS = ("ADC", "DIFFUSION", "TRACEW", "P", "PHASE", "PHASE MAP", "R", "I", "VELOCITY", "MIP", "MIN IP", "MNIP")

RULES: tuple[Rule, ...] = (
    Rule("other modality", None, other_modality),
    Rule("localizer by image type", None, kind_of_image("LOCALIZER")),
    Rule("localizer by name", None, named(LOCALIZER_WORDS, "a localizer")),
    Rule("map", None, kind_of_image(*MAP_KINDS)),
    Rule("few slices", None, few_slices),
    Rule("inversion time of another sequence", None, _inversion_outside),
    Rule("short echo time", None, _short_echo),
    Rule("short repetition time", None, _short_repetition),
    Rule("other weighting", None, _other_weighting),
    Rule("other contrast", None, _other_contrast),
    Rule("other inversion recovery", None, named(OTHER_INVERSION_WORDS, "another inversion recovery")),
    Rule("projection", None, named(PROJECTION_WORDS, "a projection")),
    Rule("mask", None, named(MASK_WORDS, "a mask, not an acquisition")),
    Rule("spine", None, spine),
    Rule("flair by name", 50, named(FLAIR_WORDS, "FLAIR")),
    Rule("NIfTI", 50, _uploaded_nifti),
    Rule("fluid nulled", 30, _fluid_nulled),
    Rule("inversion recovery", 10, _inversion_recovery),
    Rule("long echo time", 10, _long_echo),
    Rule("long repetition time", 10, _long_repetition),
    Rule("axial", 10, axial),
    Rule("reformatted", -15, reformatted),
    Rule("contrast agent", -10, _contrast_agent),
    Rule("incomplete", -30, incomplete),
)

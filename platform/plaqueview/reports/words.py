"""What a report says, in the language that is switched on: sentences made of the version's own numbers."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from django.utils.translation import get_language_bidi, gettext_noop, ngettext
from django.utils.translation import gettext as _
from pydicom.valuerep import PersonName

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.imaging.brightened_spots import SpotChange
from plaqueview.imaging.dicom_document import Stamp, spoken
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SMALLEST_MM, SizeClass
from plaqueview.imaging.longitudinal import ChangeRule, LesionChange
from plaqueview.imaging.protocol import RECOMMENDED, TITLES, Check, Verdict
from plaqueview.reports.findings import Findings, RegionState
from plaqueview.reports.stamps import basis_of, is_predicted
from plaqueview.studies import protocols

# What other modules say in English, so that it is found for translation; a test holds them to each other.
SAID_ELSEWHERE: Final = (
    gettext_noop("Research use only, not a medical device."),
    gettext_noop("AI-predicted active (FLAIR only)"),
    gettext_noop("AI-predicted inactive (FLAIR only)"),
    gettext_noop("Active"),
    gettext_noop("Inactive"),
    gettext_noop("Inactive in the version of a reader"),
    gettext_noop("Active in the version of a reader, who named no evidence"),
    gettext_noop("Confirmed by a reader: enhances after gadolinium"),
    gettext_noop("Confirmed by a reader: new or larger than in a prior study"),
    gettext_noop("Confirmed by a reader: does not enhance after gadolinium"),
    gettext_noop("Confirmed by a reader: neither new nor larger than in a prior study"),
    gettext_noop("Confirmed by a reader: the reader's opinion"),
    gettext_noop("periventricular"),
    gettext_noop("juxtacortical"),
    gettext_noop("infratentorial"),
    gettext_noop("deep white matter"),
    gettext_noop("not determined"),
    gettext_noop("Scanner model"),
    gettext_noop("Scanner's serial number"),
    gettext_noop("Field strength"),
    gettext_noop("2D or 3D"),
    gettext_noop("Slice thickness"),
    gettext_noop("Gap between slices"),
    gettext_noop("Distance of slices"),
    gettext_noop("In-plane resolution"),
    gettext_noop("Matrix"),
    gettext_noop("Repetition time"),
    gettext_noop("Echo time"),
    gettext_noop("Inversion time"),
    gettext_noop("Coverage: brain in the outermost slices"),
    gettext_noop("Noise (estimate)"),
    gettext_noop("Motion: ghosts in the air (estimate)"),
    gettext_noop("at least 1.5 T, preferably 3 T"),
    gettext_noop("3D preferred, 2D accepted"),
    gettext_noop("3D: 1 mm, or at most 1.5 mm overlapping by 0.75 mm; 2D: at most 3 mm"),
    gettext_noop("no gap"),
    gettext_noop("at most 1 mm by 1 mm"),
    gettext_noop("whole brain: at either end at most 40% of its largest section"),
    gettext_noop("at most 5% of the brain's median"),
    gettext_noop("at most 3.5% of the head's mean"),
)

CLASSES: Final = (LesionClass.ACTIVE, LesionClass.INACTIVE)

# How many digits after the point are printed; the attached CSV has them all.
VOLUME_DIGITS: Final = 3
LENGTH_DIGITS: Final = 1
PROBABILITY_DIGITS: Final = 2


def as_written(text: str) -> str:
    """The text from left to right, also amid a script that runs the other way: 4-6 never reads 6-4."""
    return f"\u2066{text}\u2069" if get_language_bidi() else text


def volume(volume_ml: float) -> str:
    return f"{volume_ml:.{VOLUME_DIGITS}f}"


def length(length_mm: float | None) -> str:
    return "" if length_mm is None else f"{length_mm:.{LENGTH_DIGITS}f}"


def probability(value: float | None) -> str:
    return "" if value is None else f"{value:.{PROBABILITY_DIGITS}f}"


def millilitres(volume_ml: float) -> str:
    return as_written(f"{volume(volume_ml)} ml")


def day(when: date | None) -> str:
    """The same in every language, so that no month is taken for a day."""
    return as_written(when.isoformat()) if when else ""


def moment(when: datetime) -> str:
    return as_written(f"{when:%Y-%m-%d %H:%M %Z}".strip())


def person(name: str) -> str:
    """A patient's name as DICOM writes it, by its letters of the alphabet where it has several scripts."""
    parts = PersonName(name)
    return parts.family_comma_given() if "^" in name else str(parts.alphabetic or parts)


def class_word(kind: LesionClass) -> str:
    return {LesionClass.ACTIVE: _("active"), LesionClass.INACTIVE: _("inactive")}[kind]


def class_head(kind: LesionClass) -> str:
    return {LesionClass.ACTIVE: _("Active"), LesionClass.INACTIVE: _("Inactive")}[kind]


def class_label(kind: LesionClass, stamp: Stamp) -> str:
    """As `Stamp.label_of`: the network's word until a reader has spoken of each lesion."""
    return _(stamp.label_of(kind))


def basis(lesion: Lesion, stamp: Stamp) -> str:
    return _(basis_of(lesion, stamp))


def said_of_region(region: str) -> str:
    """In English, as the translators know it."""
    return region.replace("_", " ")


def region(lesion: Lesion, state: RegionState) -> str:
    return _("not determined yet") if state is RegionState.PENDING else _(said_of_region(lesion.region))


def size_word(size: SizeClass) -> str:
    return {SizeClass.SMALL: _("small"), SizeClass.MEDIUM: _("medium"), SizeClass.LARGE: _("large")}[size]


def size_rule() -> str:
    """In English word for word the rule of the sizes."""
    return _(
        "by the longest axis within one slice, between voxel centres: small under %(medium)s, medium under %(large)s, "
        "large from %(large)s"
    ) % {size.value: as_written(f"{smallest_mm:g} mm") for size, smallest_mm in SMALLEST_MM.items()}


def change_word(kind: LesionChange) -> str:
    return {
        LesionChange.NEW: _("new"),
        LesionChange.ENLARGING: _("enlarging"),
        LesionChange.STABLE: _("stable"),
        LesionChange.SHRINKING: _("shrinking"),
        LesionChange.RESOLVED: _("resolved"),
    }[kind]


def counting_rule(annotation: Annotation) -> str:
    """In English word for word the rule that the version keeps."""
    return _(
        "%(connectivity)d-connected components of at least %(minimum)s; active when at least half of the voxels "
        "are labelled active"
    ) % {"connectivity": annotation.connectivity, "minimum": as_written(f"{annotation.minimum_volume_mm3:g} mm³")}


def change_rule(rule: ChangeRule) -> str:
    """In English word for word the rule of the comparison."""
    return _(
        "lesions are the same when they share at least %(overlap)s of the smaller one after rigid registration, or, "
        "where one shares so much with none, when they come within %(nearness)s; enlarging or shrinking when the "
        "volumes differ by at least %(small)s of the smaller (%(large)s from %(limit)s), by at least %(least)s "
        "and by more than half a layer of surface voxels; what lies outside the other visit's slices is not compared"
    ) % {
        "overlap": as_written(f"{rule.least_overlap:.0%}"),
        "nearness": as_written(f"{rule.nearness_mm:g} mm"),
        "small": as_written(f"{rule.small_lesion_change:.0%}"),
        "large": as_written(f"{rule.large_lesion_change:.0%}"),
        "limit": as_written(f"{rule.small_lesion_ml:g} ml"),
        "least": as_written(f"{rule.smallest_change_mm3:g} mm³"),
    }


def slices(indices: Sequence[int]) -> str:
    """From 1, with the first and the last of each run."""
    runs: list[list[int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][-1] + 1:
            runs[-1][1:] = [index]
        else:
            runs.append([index])
    return as_written(", ".join("–".join(str(index + 1) for index in run) for run in runs))  # noqa: RUF001 (a range)


def found(findings: Findings) -> list[str]:
    """What was found, in sentences."""
    if not findings.lesions:
        return [_("No lesion was counted by the rule below.")]
    return [
        _counted(findings),
        *_unconfirmed(findings),
        _largest(findings.lesions[0]),
        *_without_evidence(findings),
        *_regions(findings),
    ]


def _counted(findings: Findings) -> str:
    counts, volumes_ml = findings.annotation.counts, findings.annotation.volumes_ml
    total = len(findings.lesions)
    return ngettext(
        "%(total)d lesion was counted: %(active)d active (%(active_ml)s) and %(inactive)d inactive "
        "(%(inactive_ml)s), %(total_ml)s in all.",
        "%(total)d lesions were counted: %(active)d active (%(active_ml)s) and %(inactive)d inactive "
        "(%(inactive_ml)s), %(total_ml)s in all.",
        total,
    ) % {
        "total": total,
        "active": counts[LesionClass.ACTIVE],
        "active_ml": millilitres(volumes_ml[LesionClass.ACTIVE]),
        "inactive": counts[LesionClass.INACTIVE],
        "inactive_ml": millilitres(volumes_ml[LesionClass.INACTIVE]),
        "total_ml": millilitres(findings.volume_ml),
    }


def _largest(lesion: Lesion) -> str:
    return _("The largest is lesion %(number)d (%(class)s): %(volume)s, longest axis %(axis)s, slices %(slices)s.") % {
        "number": lesion.number,
        "class": class_word(LesionClass(lesion.lesion_class)),
        "volume": millilitres(lesion.volume_ml),
        "axis": as_written(f"{length(lesion.longest_axis_mm)} mm"),
        "slices": slices(lesion.slice_indices),
    }


def _unconfirmed(findings: Findings) -> list[str]:
    if not findings.stamp.reader:
        return [_("These numbers are AI-predicted (FLAIR only): no reader has confirmed them.")]
    active = [one for one in findings.lesions if one.lesion_class == LesionClass.ACTIVE]
    nobody = sum(is_predicted(one, findings.stamp) for one in active)
    if nobody == 0:
        return []
    return [
        ngettext(
            "%(count)d active lesion has been confirmed by no reader: it is AI-predicted active (FLAIR only).",
            "%(count)d active lesions have been confirmed by no reader: they are AI-predicted active (FLAIR only).",
            nobody,
        )
        % {"count": nobody}
    ]


def _without_evidence(findings: Findings) -> list[str]:
    active = [one for one in findings.lesions if one.lesion_class == LesionClass.ACTIVE and not one.evidence]
    readers = sum(not is_predicted(one, findings.stamp) for one in active)
    if readers == 0:
        return []
    return [
        ngettext(
            "%(count)d active lesion is active in the version of a reader, who named no evidence of activity.",
            "%(count)d active lesions are active in the version of a reader, who named no evidence of activity.",
            readers,
        )
        % {"count": readers}
    ]


def _regions(findings: Findings) -> list[str]:
    if findings.region_state is not RegionState.DETERMINED:
        return []
    by_region = Counter(region(lesion, findings.region_state) for lesion in findings.lesions)
    return [_("By region: %(regions)s.") % {"regions": ", ".join(f"{name} {n}" for name, n in by_region.items())}]


def changed(findings: Findings) -> list[str]:
    """How the lesions compare with the prior's, in one sentence; none where no prior is registered."""
    if findings.changes is None:
        return []
    counts = findings.changes.comparison.counts()
    listed = ", ".join(f"{counts[kind]} {change_word(kind)}" for kind in LesionChange)
    return [
        _("Against the study of %(day)s, version %(version)d (%(author)s): %(changes)s.")
        % {
            "day": day(findings.changes.prior_annotation.study.study_date) or _("an unknown day"),
            "version": findings.changes.prior_annotation.version,
            "author": _("a reader's") if findings.changes.prior_annotation.author_id else _("a network's"),
            "changes": listed,
        }
    ]


def brightened(findings: Findings) -> list[str]:
    """Where the FLAIR became brighter though no lesion grew; none where nothing was looked for."""
    if findings.changes is None or findings.changes.brightening is None:
        return []
    if findings.changes.brightening.note:
        return [_("Whether places became brighter without growing could not be told.")]
    places = findings.changes.brightened_only
    if not places:
        return [_("No place became brighter without growing.")]
    sentence = _(
        "Brighter than at the prior without growing: %(count)d (%(places)s). It may be evidence for the class active: "
        "a suggestion, confirmed by no reader."
    )
    return [sentence % {"count": len(places), "places": "; ".join(map(_place, places))}]


def _place(one: SpotChange) -> str:
    place = {"slice": one.spot.anchor[0] + 1, "lesions": ", ".join(map(str, one.lesions))}
    if one.lesions:
        return _("slice %(slice)d, in lesion %(lesions)s") % place
    return _("slice %(slice)d, no lesion") % place


def enhancing(findings: Findings) -> list[str]:
    """Which lesions took up contrast agent; none where no search for it has ended."""
    if findings.uptakes is None:
        return []
    if findings.uptakes.found is None:
        return [_("Whether lesions took up contrast agent could not be told.")]
    uptakes = findings.uptakes.uptakes
    if not uptakes:
        return [_("No lesion took up contrast agent, by the T1s before and after it.")]
    places = "; ".join(
        _("lesion %(lesion)d in slice %(slice)d") % {"lesion": one.lesion, "slice": one.anchor[0] + 1}
        for one in uptakes
    )
    sentence = _(
        "Brighter after contrast agent than before it: %(places)s. It is evidence for the class active, and a "
        "suggestion as long as no reader has confirmed the lesion."
    )
    return [sentence % {"places": places}]


def check_title(check: Check) -> str:
    return _(TITLES[check])


def recommended(check: Check) -> str:
    return _(RECOMMENDED[check][0])


def verdict(of: Verdict) -> str:
    return {
        Verdict.PASSED: _("passed"),
        Verdict.WARNING: _("warning"),
        Verdict.NOT_KNOWN: _("not known"),
    }[of]


def differing(findings: Findings) -> list[str]:
    """What is known to differ between the protocols of the two studies, in one sentence; none where nothing is."""
    parts = [
        _("%(part)s %(now)s, at the prior %(then)s")
        % {"part": check_title(one.check), "now": as_written(one.found), "then": as_written(one.prior)}
        for one in protocols.differing(findings.differences)
    ]
    if not parts:
        return []
    sentence = _("The protocols differ (%(parts)s): numbers of different protocols are not comparable.")
    return [sentence % {"parts": "; ".join(parts)}]


def signature(stamp: Stamp) -> str:
    if stamp.approval is None:
        return _("DRAFT: approved by nobody")
    return _("Approved by %(name)s, %(organization)s, %(at)s") % {
        "name": spoken(stamp.approval.by),
        "organization": stamp.approval.organization,
        "at": moment(stamp.approval.at),
    }


def reader(stamp: Stamp) -> str:
    return spoken(stamp.reader) if stamp.reader else _("Seen by no reader")

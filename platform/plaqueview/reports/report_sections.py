"""The parts of a report, one function each, in the language that is switched on."""

from collections.abc import Sequence

import numpy as np
from django.utils.translation import gettext as _

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.dicom_document import COLORS
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.longitudinal import Change
from plaqueview.imaging.protocol import RECOMMENDED, Check
from plaqueview.longitudinal.services import Brightening
from plaqueview.reports import words
from plaqueview.reports.findings import Findings, RegionState
from plaqueview.reports.key_slices import KeySlice
from plaqueview.reports.typeset import Column, Fact, Foreign, Picture, Section, Sign, Table, Text


def patient(annotation: Annotation) -> Section:
    who = annotation.study.patient
    who.require_opened()
    issuer = f" ({who.issuer_of_patient_id})" if who.issuer_of_patient_id else ""
    return Section(
        title=_("Patient"),
        facts=_facts(
            (_("Name"), words.person(who.name)),
            (_("Patient ID"), who.patient_id + issuer),
            (_("Born"), words.day(who.birth_date)),
            (_("Sex"), who.sex),
        ),
    )


def study(annotation: Annotation) -> Section:
    of = annotation.study
    return Section(
        title=_("Study"),
        facts=_facts(
            (_("Date"), words.day(of.study_date)),
            (_("Description"), of.study_description),
            (_("Accession number"), of.accession_number),
            (_("Institution"), of.institution_name),
            (_("Series read"), _series(annotation)),
        ),
    )


def _series(annotation: Annotation) -> str:
    affine = np.array(annotation.affine, np.float64).reshape(4, 4)
    spacing_mm = " × ".join(f"{step:.2f}" for step in np.linalg.norm(affine[:3, :3], axis=0))  # noqa: RUF001
    return _("%(name)s; %(shape)s voxels of %(spacing)s (slices, rows, columns)") % {
        "name": annotation.series.series_description or _("without description"),
        "shape": words.as_written(" × ".join(map(str, annotation.shape))),  # noqa: RUF001
        "spacing": words.as_written(f"{spacing_mm} mm"),
    }


def findings(read: Findings) -> Section:
    return Section(
        title=_("Findings"),
        paragraphs=(*words.found(read), *words.changed(read), *words.enhancing(read)),
        table=_classes(read),
        notes=(
            _counted_by(read),
            *_uptake_notes(read.uptakes),
            *(Foreign(one) for one in read.annotation.warnings if one != read.caveat),
        ),
    )


def _uptake_notes(uptakes: Uptakes | None) -> tuple[Text, ...]:
    """The rule, or why it could not be followed; nothing where nothing was looked for."""
    if uptakes is None:
        return ()
    said = uptakes.found.rule.sentence if uptakes.found else f"could not be told, {uptakes.reason.rstrip('.')}"
    return (Foreign(f"Contrast agent: {said}."),)


def _counted_by(read: Findings) -> str:
    return _("Counted: %(rule)s.") % {"rule": words.counting_rule(read.annotation)}


def _classes(read: Findings) -> Table:
    counts, volumes_ml = read.annotation.counts, read.annotation.volumes_ml
    rows = [
        (words.class_label(kind, read.stamp), str(counts[kind]), words.volume(volumes_ml[kind]))
        for kind in words.CLASSES
    ]
    rows.append((_("All"), str(len(read.lesions)), words.volume(read.volume_ml)))
    columns = (
        Column(_("Class"), wide=True),
        Column(_("Lesions"), number=True),
        Column(_("Volume (ml)"), number=True),
    )
    return Table(columns, tuple(rows), total=True)


def sizes(read: Findings) -> list[Section]:
    """Counts by size; nothing where there is no lesion, or none was measured within its slices."""
    if not read.lesions or not read.sizes:
        return []
    rows = [
        (words.size_word(size), *(str(by_class[kind]) for kind in words.CLASSES), str(sum(by_class.values())))
        for size, by_class in read.sizes.items()
    ]
    columns = (
        Column(_("Size"), wide=True),
        *(Column(words.class_head(kind), number=True) for kind in words.CLASSES),
        Column(_("All"), number=True),
    )
    rule = _("Sizes: %(rule)s.") % {"rule": words.size_rule()}
    return [Section(title=_("Lesions by size"), table=Table(columns, tuple(rows)), notes=(_counted_by(read), rule))]


def regions(read: Findings) -> list[Section]:
    """Counts and volumes by region, or why there are none; nothing where there is no lesion."""
    if not read.lesions:
        return []
    title = _("Lesions by region")
    match read.region_state:
        case RegionState.PENDING:
            return [Section(title=title, paragraphs=(_("The regions of the lesions are not determined yet."),))]
        case RegionState.NOT_DETERMINED:
            reason = Foreign(read.annotation.region_note)
            return [Section(title=title, paragraphs=(_("The regions of the lesions are not determined."), reason))]
        case RegionState.DETERMINED:
            return [Section(title=title, table=_region_table(read), notes=_region_notes(read))]


def _region_table(read: Findings) -> Table:
    names = sorted({lesion.region for lesion in read.lesions})
    rows = [_region_row([lesion for lesion in read.lesions if lesion.region == name]) for name in names]
    columns = (
        Column(_("Region"), wide=True),
        *(Column(words.class_head(kind), number=True) for kind in words.CLASSES),
        Column(_("Volume (ml)"), number=True),
    )
    return Table(columns, tuple(rows))


def _region_notes(read: Findings) -> tuple[Text, ...]:
    return (_counted_by(read), Foreign(read.annotation.region_rule))


def _region_row(lesions: Sequence[Lesion]) -> tuple[str, ...]:
    by_class = [sum(lesion.lesion_class == kind for lesion in lesions) for kind in words.CLASSES]
    return (
        words.region(lesions[0], RegionState.DETERMINED),
        *map(str, by_class),
        words.volume(sum(lesion.volume_ml for lesion in lesions)),
    )


def changes(read: Findings) -> Section:
    title = _("Change since the prior study")
    if read.changes is None:
        return Section(title=title, paragraphs=(_("No earlier study is registered to this one."),))
    comparison = read.changes.comparison
    notes = [_("Compared: %(rule)s.") % {"rule": words.change_rule(comparison.rule)}]
    outside = len(comparison.not_compared) + len(comparison.prior_not_compared)
    if outside:
        notes.insert(0, _("Outside the other visit's slices, not compared: %(count)d.") % {"count": outside})
    return Section(
        title=title,
        paragraphs=(*words.changed(read), *words.brightened(read), *words.differing(read)),
        table=_change_table(comparison.changes) if comparison.changes else None,
        notes=(*notes, *_brightening_notes(read.changes.brightening)),
    )


def _brightening_notes(kept: Brightening | None) -> tuple[Text, ...]:
    """The rule, or why it could not be followed; nothing where nothing was looked for."""
    if kept is None:
        return ()
    return (Foreign(f"Brighter: could not be told, {kept.note}." if kept.note else f"Brighter: {kept.rule}."),)


def _change_table(changed: Sequence[Change]) -> Table:
    columns = (
        Column(_("Change"), wide=True),
        Column(_("Lesion"), number=True),
        Column(_("Volume (ml)"), number=True),
        Column(_("Lesion, prior"), number=True),
        Column(_("Volume, prior (ml)"), number=True),
    )
    rows = [
        (
            words.change_word(one.change),
            _numbers(one.lesions),
            words.volume(one.volume_ml) if one.lesions else "",
            _numbers(one.prior_lesions),
            words.volume(one.prior_volume_ml) if one.prior_lesions else "",
        )
        for one in changed
    ]
    return Table(columns, tuple(rows))


def pictures(read: Findings, slices: Sequence[KeySlice]) -> list[Section]:
    """The key slices with what their signs mean; nothing where there is no lesion to show."""
    if not slices:
        return []
    shown = {number for one in slices for number in one.lesions}
    return [
        Section(
            title=_("Key slices"),
            paragraphs=(
                _("These slices show %(shown)d of the %(total)d lesions; not for measurement.")
                % {"shown": len(shown), "total": len(read.lesions)},
            ),
            key=tuple(
                Sign(words.class_label(kind, read.stamp), "#{:02x}{:02x}{:02x}".format(*COLORS[kind]), hatched)
                for kind, hatched in ((LesionClass.ACTIVE, True), (LesionClass.INACTIVE, False))
            ),
            pictures=tuple(_picture(one, read.annotation) for one in slices),
        )
    ]


def _picture(one: KeySlice, annotation: Annotation) -> Picture:
    place = {"slice": one.slice_index + 1, "slices": annotation.slices, "lesions": _numbers(one.lesions)}
    return Picture(
        file=picture_file(one),
        alt=_("FLAIR slice %(slice)d of %(slices)d with the outlines of the lesions %(lesions)s") % place,
        caption=_("Slice %(slice)d of %(slices)d: lesions %(lesions)s") % place,
        aspect=one.aspect,
    )


def picture_file(one: KeySlice) -> str:
    return f"slice-{one.slice_index + 1}.png"


def lesions(read: Findings) -> list[Section]:
    """Every lesion of the version; nothing where there is none."""
    if not read.lesions:
        return []
    columns = [
        Column(_("No."), number=True),
        Column(_("Class, and what it rests on"), wide=True),
        Column(_("Region")),
        Column(_("Volume (ml)"), number=True),
        Column(_("Longest axis (mm)"), number=True),
        Column(_("In plane (mm)"), number=True),
        Column(_("Slices"), number=True),
        Column(_("Mean probability"), number=True),
    ]
    rows = [
        (
            str(lesion.number),
            words.basis(lesion, read.stamp),
            words.region(lesion, read.region_state),
            words.volume(lesion.volume_ml),
            words.length(lesion.longest_axis_mm),
            words.length(lesion.in_plane_axis_mm),
            words.slices(lesion.slice_indices),
            words.probability(lesion.mean_probability),
        )
        for lesion in read.lesions
    ]
    plane = _("“In plane” is the longest axis within one slice.")
    note = _(
        "Slices count from 1. The mean probability is the network's, of being a lesion of either class. The attached "
        "file lesions.csv has every digit, positions and identifiers."
    )
    return [Section(_("Lesions"), table=Table(tuple(columns), tuple(rows)), notes=(_counted_by(read), plane, note))]


def method(read: Findings) -> Section:
    algorithm = read.stamp.algorithm
    model = [
        (_("Model"), f"{algorithm.name} {algorithm.version}" if algorithm else _("none")),
        (_("SHA-256 of its weights"), algorithm.sha256 if algorithm else ""),
        (_("Computed in"), Foreign(algorithm.computation) if algorithm and algorithm.computation else ""),
    ]
    caveat = [Fact(_("What its card warns of"), Foreign(read.caveat))] if read.caveat else []
    return Section(
        title=_("Method"),
        paragraphs=(
            _(
                "A network marks lesions on the FLAIR alone. Whether a lesion is active cannot be seen on FLAIR with "
                "certainty: until a reader has confirmed it, for instance by enhancement after gadolinium or against a "
                "prior, “active” means AI-predicted active (FLAIR only)."
            ),
        ),
        facts=(
            *_facts(*model),
            *caveat,
            *_facts(
                (_("Counting rule"), words.counting_rule(read.annotation)),
                (_("Software"), f"PlaqueView {read.stamp.software_version}"),
            ),
        ),
    )


def protocol(read: Findings) -> Section:
    """How the series was taken; that it is a FLAIR is said elsewhere."""
    rows = [
        (
            words.check_title(one.check),
            words.as_written(one.found) or _("not known"),
            words.recommended(one.check),
            words.verdict(one.verdict),
        )
        for one in read.protocol
        if one.check != Check.FLAIR
    ]
    columns = (Column(_("Protocol")), Column(_("Found")), Column(_("Recommended"), wide=True), Column(_("Verdict")))
    sources = {source: None for one in read.protocol for source in RECOMMENDED[one.check][1].split("; ")}
    return Section(
        title=_("Protocol of the series read"),
        table=Table(columns, tuple(rows)),
        notes=(
            _("Not known is what the header does not say, or what was not measured when the version was made."),
            Foreign(" · ".join(sources)),
        ),
    )


def signature(read: Findings) -> Section:
    return Section(
        title=_("Who says so"),
        facts=_facts(
            (_("Reader"), words.reader(read.stamp)),
            (_("State"), words.signature(read.stamp)),
            (_("Version"), str(read.stamp.version)),
            (_("Made"), words.moment(read.stamp.created)),
            (_("Version ID"), read.stamp.annotation_id),
            (_("Study instance UID"), read.annotation.study.study_instance_uid),
        ),
    )


def _numbers(lesions: Sequence[int]) -> str:
    return words.as_written(", ".join(map(str, lesions)))


def _facts(*entries: tuple[str, Text]) -> tuple[Fact, ...]:
    """Those of the entries that say something."""
    return tuple(Fact(label, value) for label, value in entries if value)

"""A version as a report on pages, in the language that is switched on."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from plaqueview.annotations.models import Annotation
from plaqueview.reports import report_sections as sections
from plaqueview.reports import words
from plaqueview.reports.findings import Findings, findings_of
from plaqueview.reports.key_slices import KeySlice, key_slices
from plaqueview.reports.lesion_csv import lesions_csv
from plaqueview.reports.typeset import Report, typeset


def report_pdf(annotation: Annotation) -> bytes:
    """The pages; PDF/UA-1, with every number of the version attached as CSV.

    Raises: DocumentError when the series no longer fits the version; SeriesReadError when it cannot be read.
    """
    findings = findings_of(annotation)
    slices = key_slices(annotation, findings.lesions)
    files = {sections.picture_file(one): one.png for one in slices} | {"lesions.csv": lesions_csv(annotation)}
    return typeset(_report(findings, slices), files, made_at=findings.said_at)


def _report(findings: Findings, slices: list[KeySlice]) -> Report:
    annotation, stamp = findings.annotation, findings.stamp
    is_draft = stamp.approval is None
    patient, study_day = annotation.study.patient, words.day(annotation.study.study_date)
    notice = _(stamp.notice)
    caveat = _("A lesion that no reader spoke about is AI-predicted from the FLAIR.")
    version = _("Version")
    title = _("Report on lesions of multiple sclerosis")
    return Report(
        language=get_language(),
        title=title,
        producer=f"PlaqueView {stamp.software_version}",
        description=f"{words.signature(stamp)}. {notice}",
        keywords=(stamp.annotation_id,),
        running_head=" · ".join(filter(None, (words.person(patient.name), patient.patient_id, study_day))),
        draft=words.signature(stamp) if is_draft else "",
        watermark=_("DRAFT") if is_draft else "",
        notice=f"{notice} {caveat}",
        footer=f"{version} {stamp.version} · {stamp.annotation_id} · {notice}",
        page=_("Page {page} of {pages}"),
        attachment=_("Every number of the version, one row a lesion"),
        head=(sections.patient(annotation), sections.study(annotation)),
        sections=(
            sections.findings(findings),
            *sections.pictures(findings, slices),
            *sections.sizes(findings),
            *sections.regions(findings),
            sections.changes(findings),
            *sections.lesions(findings),
            sections.method(findings),
            sections.protocol(findings),
            sections.signature(findings),
        ),
    )

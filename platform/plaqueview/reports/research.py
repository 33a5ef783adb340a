"""A study for research: its images and its approved version without the patient, and a report of what was removed."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import BinaryIO, Final
from uuid import UUID

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, AnnotationState, Step
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError
from plaqueview.core.storage import stored_path
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.deidentify import (
    EDITION,
    PROFILE,
    TAKEN,
    DeidentifyError,
    Pseudonyms,
    Report,
    attributes_of,
    burned_in,
    deidentify,
)
from plaqueview.imaging.dicom_document import Stamp, quiet
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.dicom_source import DocumentError
from plaqueview.patients.pseudonyms import pseudonyms_of_patient
from plaqueview.reports.documents import report_file, segmentation_file
from plaqueview.reports.stamps import stamp_of
from plaqueview.studies.models import Instance, Study
from plaqueview.studies.reading import read_study

ABOUT: Final = f"""A de-identified study, made by PlaqueView. {RESEARCH_NOTICE}

images/SERIES/NNNN.dcm   the MR images; voxels are as acquired, so that a face may be recognised
seg.dcm, sr.dcm          the version that a reader approved, if there is one
report.json              what was removed, emptied or replaced, what was left out, and warnings

By the Basic Application Level Confidentiality Profile (PS3.15 Annex E, {EDITION}), with the Clean Structured Content
Option in seg.dcm and sr.dcm. The same patient has the same pseudonym in every export of this installation. Whoever
passes this on looks through it first.
"""


@dataclass
class _Account:
    """What became of the study's objects."""

    pseudonyms: Pseudonyms
    removals: Report = field(default_factory=Counter)
    exported: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def export_deidentified(*, study_id: UUID, target: BinaryIO, actor: User) -> Study:
    """`target` holds the zip, the same bytes as long as the study is the same; the export is on record.

    Raises: DeniedError, NotFoundError; ConflictError when nothing of the study may leave, or something cannot be read.
    """
    require(actor, Action.STUDY_DEIDENTIFY)
    study = read_study(study_id=study_id, actor=actor)
    account = _Account(pseudonyms_of_patient(study.patient))
    try:
        with quiet(), zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            _write(archive, study, account)
    except (DeidentifyError, DocumentError, SeriesReadError, InvalidDicomError) as error:
        raise ConflictError(f"the study cannot be de-identified: {error}") from error
    audit.record(
        EventKind.DOCUMENT_EXPORTED,
        actor=actor,
        object_type="study",
        object_id=study.pk,
        site_id=study.site_id,
        details={
            "document": "deidentified.zip",
            "instances": account.exported.total(),
            "left_out": account.left_out.total(),
            "warnings": len(account.warnings),
        },
    )
    return study


def _write(archive: zipfile.ZipFile, study: Study, account: _Account) -> None:
    instances = Instance.objects.filter(study=study).order_by("series", "instance_number", "sop_instance_uid")
    for name, dataset in _images(instances, account):
        _add(archive, name, dataset)
    if not account.exported:
        raise ConflictError("no image of the study may leave: it has no MR images, or all have words burned in")
    version = _approved(study)
    if version is None:
        account.warnings.append("no version of the study is approved by a reader here: only images are in")
    else:
        for name, dataset in _documents(version, account):
            _add(archive, name, dataset)
    archive.writestr(zipfile.ZipInfo("README.txt"), ABOUT)
    archive.writestr(zipfile.ZipInfo("report.json"), json.dumps(_report_of(study, account), indent=2))


def _images(instances: Iterable[Instance], account: _Account) -> Iterator[tuple[str, Dataset]]:
    """Each MR image of which nothing says that words are burned in."""
    unsaid = 0
    for instance in instances:
        if instance.sop_class_uid not in TAKEN:
            account.left_out[instance.sop_class_uid, "is no MR image"] += 1
            continue
        dataset = dcmread(stored_path(instance.storage_key))
        if burned_in(dataset) == "YES":
            account.left_out[instance.sop_class_uid, "says that words are burned in"] += 1
            continue
        unsaid += not burned_in(dataset)
        account.removals += deidentify(dataset, account.pseudonyms)
        series_uid = str(dataset.SeriesInstanceUID)
        account.exported[series_uid] += 1
        yield f"images/{series_uid}/{account.exported[series_uid]:04}.dcm", dataset
    if unsaid:
        account.warnings.append(f"{unsaid} images do not say whether words are burned in: look at them")


def _approved(study: Study) -> Annotation | None:
    approved = Annotation.objects.filter(study=study, state=AnnotationState.APPROVED, review__step=Step.APPROVED)
    return approved.order_by("-version").first()


def _documents(version: Annotation, account: _Account) -> Iterator[tuple[str, Dataset]]:
    """Written anew without a reader's name, then taken through the same table as the images."""
    stamp = _nameless(stamp_of(version))
    for name, content in (("seg.dcm", segmentation_file(version, stamp)), ("sr.dcm", report_file(version, stamp))):
        dataset = dcmread(BytesIO(content))
        account.removals += deidentify(dataset, account.pseudonyms, keeps_content=True)
        account.exported[str(dataset.SeriesInstanceUID)] += 1
        yield name, dataset


def _nameless(stamp: Stamp) -> Stamp:
    approval = stamp.approval and replace(stamp.approval, by="Reader", organization="Department")
    return replace(stamp, reader="Reader" if stamp.reader else "", approval=approval, device="PlaqueView")


def _add(archive: zipfile.ZipFile, name: str, dataset: Dataset) -> None:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    archive.writestr(zipfile.ZipInfo(name), stream.getvalue())


def _report_of(study: Study, account: _Account) -> dict[str, object]:
    return {
        "profile": PROFILE,
        "notice": RESEARCH_NOTICE,
        "patient": account.pseudonyms.patient,
        "study": account.pseudonyms.uid(study.study_instance_uid),
        "series": [{"series": uid, "instances": count} for uid, count in account.exported.items()],
        "left_out": [
            {"sop_class": sop_class, "reason": reason, "instances": count}
            for (sop_class, reason), count in sorted(account.left_out.items())
        ],
        "attributes": attributes_of(account.removals),
        "warnings": account.warnings,
    }

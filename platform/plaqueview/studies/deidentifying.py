"""Instances of a sender that is de-identified: the file is written anew before anything of it is kept.

By the very code of the export (docs/decisions/0035 and 0039). What is said
of a refused file names nothing of it, for it goes into an answer and a log.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from pydicom import dcmread

from plaqueview.imaging.deidentify import (
    EDITION,
    TAKEN,
    Pseudonyms,
    Report,
    attributes_of,
    burned_in,
    deidentify,
    report_of,
)
from plaqueview.patients.pseudonyms import pseudonyms_on_arrival
from plaqueview.studies.instance_file import UNREADABLE, Refusal, RefusedError
from plaqueview.studies.instance_header import ReceivedInstance, read_received_instance
from plaqueview.studies.models import Deidentification, Study

# A dataset is whole in memory while it is walked.
LARGEST_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Withheld:
    """What of one instance was not kept: by attribute, and whether it says of words in its pixels at all.

    `sop_instance_uid` is what the sender calls it, for the answer only.
    """

    report: Report
    is_silent_of_words: bool
    sop_instance_uid: str


def without_patient(instance: ReceivedInstance, *, only_study: str) -> tuple[ReceivedInstance, Withheld]:
    """The instance as it may be kept; its file has been replaced.

    Raises: RefusedError for another study than `only_study`, for what is no MR image, says that words are burned into
    it, is too large, or cannot be written anew.
    """
    _require_takeable(instance, only_study)
    named = pseudonyms_on_arrival(instance.patient, study_instance_uid=instance.study_instance_uid)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote what pydicom cannot read
            withheld = _replace(instance.path, named)
    except RefusedError:
        raise
    except UNREADABLE as error:
        kind = type(error).__name__
        raise RefusedError(Refusal.MALFORMED, f"cannot be de-identified: {kind} while walking through it") from None
    return read_received_instance(instance.path), withheld


def keep_report(study: Study, withheld: Sequence[Withheld], *, node_id: UUID) -> None:
    """The study's report counts these instances too; its row is locked by the caller's transaction."""
    row = Deidentification.objects.filter(study=study).first() or Deidentification(study=study, edition=EDITION)
    report = report_of(row.attributes)
    for one in withheld:
        report += one.report
    row.node_id, row.attributes = node_id, attributes_of(report)
    row.instance_count += len(withheld)
    row.silent_count += sum(one.is_silent_of_words for one in withheld)
    row.save()


def _require_takeable(instance: ReceivedInstance, only_study: str) -> None:
    if only_study and instance.study_instance_uid != only_study:
        raise RefusedError(Refusal.WRONG_STUDY, "belongs to another study than this request is for")
    if instance.sop_class_uid not in TAKEN:
        kind = "is no MR image, and nothing else is taken of a sender that is de-identified"
        raise RefusedError(Refusal.UNSUPPORTED, kind)
    if instance.path.stat().st_size > LARGEST_BYTES:
        raise RefusedError(Refusal.UNSUPPORTED, f"has more than {LARGEST_BYTES} bytes, too many to be de-identified")


def _replace(path: Path, named: Pseudonyms) -> Withheld:
    """The new file lies where the old one lay."""
    dataset = dcmread(path)
    words = burned_in(dataset)
    if words == "YES":
        raise RefusedError(Refusal.UNSUPPORTED, "says that words are burned into it, and is not kept")
    sent_uid = str(dataset.SOPInstanceUID)
    report = deidentify(dataset, named)
    beside = path.with_name(secrets.token_hex(16))
    try:
        dataset.save_as(beside, enforce_file_format=True)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return Withheld(report, not words, sent_uid)

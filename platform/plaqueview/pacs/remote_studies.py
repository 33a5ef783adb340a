"""Studies at a peer: what is asked for, what it says it has, and where what it sends is put."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Protocol

from pydicom.dataset import Dataset

from plaqueview.studies.instance_file import UNREADABLE

# Source: PS3.5 9.1.
UID: Final = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class StudyQuery:
    """What a study at the peer has to match, all together; an empty string or None asks nothing.

    Texts may have the standard's wildcards, * and ?. Source: PS3.4 C.2.2.2.
    """

    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    study_date_from: date | None = None
    study_date_to: date | None = None
    modality: str = ""
    study_instance_uid: str = ""

    def attributes(self) -> dict[str, str]:
        """The keys to match, by keyword."""
        keys = {
            "PatientID": self.patient_id,
            "PatientName": self.patient_name,
            "AccessionNumber": self.accession_number,
            "StudyDate": self._dates(),
            "ModalitiesInStudy": self.modality,
            "StudyInstanceUID": self.study_instance_uid,
        }
        return {keyword: value for keyword, value in keys.items() if value}

    def _dates(self) -> str:
        """Source: PS3.4 C.2.2.2.5."""
        if self.study_date_from is None and self.study_date_to is None:
            return ""
        return "-".join(f"{day:%Y%m%d}" if day else "" for day in (self.study_date_from, self.study_date_to))


# What is asked back of each study. Source: PS3.4 Table C.6-5.
RETURNED: Final = (
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "StudyDate",
    "AccessionNumber",
    "StudyDescription",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
    "StudyInstanceUID",
)


@dataclass(frozen=True)
class RemoteStudy:
    """A study as the peer describes it; a number or date that it does not tell is None."""

    study_instance_uid: str
    patient_id: str
    patient_name: str
    study_date: date | None
    accession_number: str
    study_description: str
    modalities: tuple[str, ...]
    instance_count: int | None
    issuer_of_patient_id: str = ""
    patient_birth_date: date | None = None


@dataclass(frozen=True)
class RemoteStudies:
    """`has_more` says that the peer has more than were asked for."""

    studies: list[RemoteStudy]
    has_more: bool


class Basket(Protocol):
    """Where the instances of a retrieval are put, one file after the other."""

    @property
    def folder(self) -> Path:
        """On the store's own disk, for files on their way."""

    def expect(self, count: int) -> None:
        """The peer means to send so many instances."""

    def put(self, path: Path) -> None:
        """The file, which lies in the folder, is kept or refused, at once or with the next ones.

        Raises: whatever ends the retrieval.
        """

    def look(self) -> None:
        """Nothing came, and the retrieval still goes on. Raises: whatever ends it."""


def remote_study(dataset: Dataset) -> RemoteStudy | None:
    """The study that an answer describes; None without a usable UID."""
    uid = _text(dataset, "StudyInstanceUID")
    if not UID.fullmatch(uid):
        return None
    return RemoteStudy(
        study_instance_uid=uid,
        patient_id=_text(dataset, "PatientID"),
        patient_name=_text(dataset, "PatientName"),
        study_date=_date(_text(dataset, "StudyDate")),
        accession_number=_text(dataset, "AccessionNumber"),
        study_description=_text(dataset, "StudyDescription"),
        modalities=tuple(texts_of(dataset, "ModalitiesInStudy")),
        instance_count=_count(_text(dataset, "NumberOfStudyRelatedInstances")),
        issuer_of_patient_id=_text(dataset, "IssuerOfPatientID"),
        patient_birth_date=_date(_text(dataset, "PatientBirthDate")),
    )


def _text(dataset: Dataset, keyword: str) -> str:
    return next(texts_of(dataset, keyword), "")


def texts_of(dataset: Dataset, keyword: str) -> Iterator[str]:
    """Values as text of printable characters; one that cannot be read as its VR is none."""
    with suppress(*UNREADABLE, OSError):  # the library's end of a file
        value = dataset.get(keyword)
        values = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        yield from ("".join(filter(str.isprintable, str(one)[:324])) for one in values if one not in (None, ""))


def _date(text: str) -> date | None:
    with suppress(ValueError):
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a date without a zone, as DICOM has it
    return None


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 8 else None

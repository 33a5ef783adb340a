"""What the DICOM objects of one annotation version share: identity, words and codes, and how they become bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from highdicom import AlgorithmIdentificationSequence
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.coding import Code
from pydicom.uid import UID

from plaqueview.imaging.dicom_slice import IMPLEMENTATION_CLASS_UID, uid_of
from plaqueview.imaging.lesion_class import LesionClass

MANUFACTURER: Final = "PlaqueView"
CHARACTER_SET: Final = "ISO_IR 192"

# Longest LO (PS3.5 6.2).
LONGEST_TEXT: Final = 64

# Source: PS3.16 CID 7150, CID 7159 and CID 4031, none of which has a code for the plaque of multiple sclerosis; the
# modifiers are SNOMED CT's qualifiers, from HL7's value set Problem Status (2.16.840.1.113883.3.88.12.80.68).
CATEGORY: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
LESION: Final = Code("52988006", "SCT", "Lesion")
BRAIN: Final = Code("12738006", "SCT", "Brain")
CLASS_CODES: Final[Mapping[LesionClass, Code]] = {
    LesionClass.INACTIVE: Code("73425007", "SCT", "Inactive"),
    LesionClass.ACTIVE: Code("55561003", "SCT", "Active"),
}
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")  # PS3.16 CID 7162
PROCESSING_EQUIPMENT: Final = Code("109102", "DCM", "Processing Equipment")

# Okabe and Ito, "Color Universal Design", 2008; the viewer's.
COLORS: Final[Mapping[LesionClass, tuple[int, int, int]]] = {
    LesionClass.INACTIVE: (0x56, 0xB4, 0xE9),
    LesionClass.ACTIVE: (0xFF, 0x7A, 0x33),
}


@dataclass(frozen=True)
class Algorithm:
    """The network at the origin of a version; `sha256` is lower-case hex of its weights.

    `computation` says in which precision it ran, and on what; it is empty where that was not kept.
    """

    name: str
    version: str
    sha256: str
    computation: str = ""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What tells this run of the network from another. Source: PS3.3 10.16, Algorithm Parameters."""
        return {"sha256": self.sha256} | ({"computation": self.computation} if self.computation else {})

    @property
    def sentence(self) -> str:
        return f"Model {self.name} {self.version}, SHA-256 {self.sha256}"

    def as_sequence(self) -> AlgorithmIdentificationSequence:
        """Source: PS3.3 10.16, Algorithm Identification Macro."""
        return AlgorithmIdentificationSequence(
            name=self.name[:LONGEST_TEXT],
            family=ARTIFICIAL_INTELLIGENCE,
            version=self.version[:LONGEST_TEXT],
            source=MANUFACTURER,
            parameters=dict(self.parameters),
        )


@dataclass(frozen=True)
class Approval:
    """Who approved a version: a name as `person_name` writes it, the department, and when."""

    by: str
    organization: str
    at: datetime


@dataclass(frozen=True)
class Stamp:
    """What every object of one version says of it.

    `reader` is empty when the model alone speaks. `created` and `approval.at` are local to the department. While
    `is_active_predicted`, of some active lesion there is the network's word alone. `device` names the installation.
    """

    annotation_id: str
    version: int
    created: datetime
    reader: str
    algorithm: Algorithm | None
    approval: Approval | None
    is_active_predicted: bool
    counting_rule: str
    notice: str
    device: str
    software_version: str

    def uid(self, name: str) -> UID:
        """The UID of one of the version's objects: always the same, but another one once the version is approved."""
        return uid_of(f"{self.annotation_id} {'approved' if self.approval else 'draft'} {name}")

    def describe(self, what: str) -> str:
        """A series description that tells a draft."""
        return f"{'' if self.approval else 'DRAFT '}{what}, version {self.version}"

    def label_of(self, lesion_class: LesionClass) -> str:
        """What a class is called: the network's word until a reader has spoken of each lesion."""
        is_active = lesion_class is LesionClass.ACTIVE
        if self.reader and not (is_active and self.is_active_predicted):
            return lesion_class.value.capitalize()
        return f"AI-predicted {lesion_class.value} (FLAIR only)"

    def authors(self) -> tuple[str, ...]:
        """Who says so, one sentence each."""
        reader = f"Reader {spoken(self.reader)}" if self.reader else "Seen by no reader"
        approval = f"Approved by {spoken(self.approval.by)}" if self.approval else "DRAFT: approved by nobody"
        return (*((self.algorithm.sentence,) if self.algorithm else ()), reader, approval)

    def equipment(self) -> dict[str, Any]:  # Any: arguments of highdicom's constructors
        """Source: PS3.3 C.7.5.1 and C.7.5.2."""
        return {
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": MANUFACTURER,
            "device_serial_number": self.device[:LONGEST_TEXT],
            "software_versions": self.software_version,
        }


def person_name(*, family: str, given: str = "") -> str:
    """A name as DICOM's PN writes it, without what has a meaning there. Source: PS3.5 6.2.1."""
    parts = ["".join(letter for letter in part if letter not in "\\^=" and letter >= " ") for part in (family, given)]
    return "^".join(part.strip()[:31] for part in parts)


def spoken(name: str) -> str:
    """A name of `person_name` as one says it."""
    return " ".join(part for part in reversed(name.split("^")) if part)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of highdicom and pydicom, which would put a patient's name into a log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def encode(dataset: Dataset, stamp: Stamp) -> bytes:
    """The Part 10 file; the same version always gives the same bytes, so the clock is that of the version."""
    _name_version(dataset, stamp)
    _set_clock(dataset, stamp)
    for item in (*dataset.get("DimensionIndexSequence", ()), *dataset.get("DimensionOrganizationSequence", ())):
        item.DimensionOrganizationUID = uid_of(f"{dataset.SOPInstanceUID} dimensions")
    dataset.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    dataset.file_meta.ImplementationVersionName = f"PLAQUEVIEW{stamp.software_version}"[:16]
    stream = BytesIO()
    with quiet():
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _name_version(dataset: Dataset, stamp: Stamp) -> None:
    """Every object names the version it is of, in the one module that all of them have.

    Source: PS3.3 C.12.1, Contributing Equipment Sequence; PS3.16 CID 7005.
    """
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = DicomSequence([CodedConcept.from_code(PROCESSING_EQUIPMENT)])
    for keyword, value in stamp.equipment().items():
        setattr(equipment, "".join(word.capitalize() for word in keyword.split("_")), value)
    equipment.ContributionDateTime = ""
    equipment.ContributionDescription = f"Annotation version {stamp.annotation_id}"
    dataset.ContributingEquipmentSequence = [*dataset.get("ContributingEquipmentSequence", ()), equipment]


def _set_clock(dataset: Dataset, stamp: Stamp) -> None:
    day, time = f"{stamp.created:%Y%m%d}", f"{stamp.created:%H%M%S.%f}"
    for keyword in dataset.dir("InstanceCreation", "Content", "SecondaryCapture"):
        if keyword in {"InstanceCreationDate", "ContentDate", "DateOfSecondaryCapture"}:
            setattr(dataset, keyword, day)
        elif keyword in {"InstanceCreationTime", "ContentTime", "TimeOfSecondaryCapture"}:
            setattr(dataset, keyword, time)
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = day + time
    for observer in dataset.get("VerifyingObserverSequence", ()):
        observer.VerificationDateTime = f"{stamp.approval.at:%Y%m%d%H%M%S.%f}" if stamp.approval else ""

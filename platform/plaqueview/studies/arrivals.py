"""What arrives, by which door, and what becomes of it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from plaqueview.accounts.models import Site, User
from plaqueview.studies.deidentifying import Withheld
from plaqueview.studies.instance_file import Refusal
from plaqueview.studies.instance_header import ReceivedInstance
from plaqueview.studies.models import FileOutcome


class Source(StrEnum):
    """By which door an instance came."""

    UPLOAD = "upload"
    IMPORT = "import"
    STOW = "stow"
    C_STORE = "c_store"
    FETCH = "fetch"


@dataclass(frozen=True)
class Arrival:
    """Where files arrive: at which site, by which door, from whom; `study_instance_uid` is the only study allowed.

    What comes from `deidentified_node_id` is kept without its patient.
    """

    site: Site
    source: Source
    actor: User | None = None
    study_instance_uid: str = ""
    deidentified_node_id: UUID | None = None


@dataclass(frozen=True)
class Received:
    """What became of one file. The UIDs are empty where the file names none.

    `sent_sop_instance_uid` is what the sender calls an instance that is kept without its patient; else empty.
    """

    outcome: FileOutcome
    reason: str = ""
    refusal: Refusal | None = None
    study_id: UUID | None = None
    instance_id: UUID | None = None
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    sent_sop_instance_uid: str = ""


@dataclass(frozen=True)
class Staged:
    """A readable instance with the SHA-256 of its file, in lower-case hex, and what of it is not kept."""

    instance: ReceivedInstance
    sha256: str
    withheld: Withheld | None = None


def refused(instance: ReceivedInstance, refusal: Refusal, reason: str) -> Received:
    return Received(
        FileOutcome.REJECTED,
        reason,
        refusal,
        study_instance_uid=instance.study_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
    )

"""Receiving instances: bytes kept as they came, once per SOP Instance UID, every file with one outcome.

A chunk of files costs one transaction. Bytes are in the store before their rows are, so that a row always has them.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core.storage import StoredFile, require_free_space, store_files, stored_path
from plaqueview.patients import services as patients
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.studies.instance_file import Refusal, RefusedError
from plaqueview.studies.instance_header import ReceivedInstance, as_json, read_received_instance
from plaqueview.studies.models import FileOutcome, Instance, Series, Study, StudyState
from plaqueview.studies.same_content import is_same_content
from plaqueview.studies.summaries import announce_study

logger = logging.getLogger(__name__)

MOST_RACES_LOST = 3

# What an arriving instance has to know of its study, and may change.
KEPT_UP_TO_DATE = (
    "site",
    "study_instance_uid",
    "patient__patient_id",
    "patient__issuer_of_patient_id",
    "flair_series",
    "state",
    "state_reason",
    "instance_count",
)


class Source(StrEnum):
    """By which door an instance came."""

    UPLOAD = "upload"
    IMPORT = "import"
    STOW = "stow"
    C_STORE = "c_store"


@dataclass(frozen=True)
class Arrival:
    """Where files arrive: at which site, by which door, from whom; `study_instance_uid` is the only study allowed."""

    site: Site
    source: Source
    actor: User | None = None
    study_instance_uid: str = ""


@dataclass(frozen=True)
class Received:
    """What became of one file. The UIDs are empty where the file names none."""

    outcome: FileOutcome
    reason: str = ""
    refusal: Refusal | None = None
    study_id: UUID | None = None
    instance_id: UUID | None = None
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


@dataclass(frozen=True)
class _Staged:
    instance: ReceivedInstance
    sha256: str


def receive(*, path: Path, site: Site, source: Source, actor: User | None = None) -> Received:
    """The instance in the file is kept, exactly once; the file itself is moved into the store.

    `path` lies on the store's own disk.

    Raises: UnavailableError when the disk reserve would be touched; then nothing is kept.
    """
    return receive_all(paths=[path], arrival=Arrival(site, source, actor))[0]


def receive_all(
    *,
    paths: Sequence[Path],
    arrival: Arrival,
    remember: Callable[[Sequence[Received]], None] | None = None,
) -> list[Received]:
    """One outcome per file, in their order; `remember` runs in the transaction that keeps the instances.

    A file that is refused does not stop its neighbours.

    Raises: UnavailableError when the disk reserve would be touched; then nothing is kept.
    """
    require_free_space(0)
    staged = [_stage(path, arrival) for path in paths]
    stored: dict[str, StoredFile] = {}
    _store_new(staged, arrival, stored)
    for _ in range(MOST_RACES_LOST):
        try:
            with transaction.atomic():
                received = _keep_all(staged, arrival, stored)
                if remember is not None:
                    remember(received)
                return received
        except IntegrityError:
            logger.info("another sender kept one of %s instances first, looking again", len(paths))
    raise IntegrityError(f"lost {MOST_RACES_LOST} races for the rows of {len(paths)} instances")


def _stage(path: Path, arrival: Arrival) -> _Staged | Received:
    try:
        instance = read_received_instance(path)
    except RefusedError as error:
        return Received(FileOutcome.REJECTED, error.reason, error.refusal)
    wanted = arrival.study_instance_uid
    if wanted and instance.study_instance_uid != wanted:
        reason = f"belongs to study {instance.study_instance_uid}, this request is for study {wanted}"
        return _refused(instance, Refusal.WRONG_STUDY, reason)
    with path.open("rb") as file:
        return _Staged(instance, hashlib.file_digest(file, "sha256").hexdigest())


def _store_new(staged: Iterable[_Staged | Received], arrival: Arrival, stored: dict[str, StoredFile]) -> None:
    """Files whose UID is new are in the store; what is known or refused without a lock need not go there."""
    found = [one for one in staged if isinstance(one, _Staged)]
    seen = set(_known_instances([one.instance for one in found], arrival.site))
    patients_of = _known_patients([one.instance for one in found], arrival.site)
    new: dict[str, Path] = {}
    for one in found:
        uid, patient = one.instance.sop_instance_uid, patients_of.get(one.instance.study_instance_uid)
        if uid not in seen and (patient is None or patients.is_same_patient(patient, one.instance.patient)):
            seen.add(uid)
            new[one.sha256] = one.instance.path
    stored.update((file.sha256, file) for file in store_files(list(new.values()), kind="dicom"))


def _stored(staged: _Staged, stored: dict[str, StoredFile]) -> StoredFile:
    """For the rare file that was thought to be known and is new under the lock."""
    if staged.sha256 not in stored:
        stored[staged.sha256] = store_files([staged.instance.path], kind="dicom")[0]
    return stored[staged.sha256]


# Only what is looked at is read here: for a sender of single instances, building these queries is a third of the work.
def _known_instances(instances: Sequence[ReceivedInstance], site: Site) -> dict[str, Instance]:
    uids = {instance.sop_instance_uid for instance in instances}
    found = Instance.objects.filter(site=site, sop_instance_uid__in=uids).order_by()
    return {one.sop_instance_uid: one for one in found.only("sop_instance_uid", "sha256", "storage_key", "study_id")}


def _known_patients(instances: Sequence[ReceivedInstance], site: Site) -> dict[str, Patient]:
    """The patient of each study that is already there."""
    uids = {instance.study_instance_uid for instance in instances}
    found = Patient.objects.filter(studies__site=site, studies__study_instance_uid__in=uids).order_by()
    named = found.annotate(study_uid=F("studies__study_instance_uid"))
    return {one.study_uid: one for one in named.only("patient_id", "issuer_of_patient_id")}


def _keep_all(staged: Sequence[_Staged | Received], arrival: Arrival, stored: dict[str, StoredFile]) -> list[Received]:
    """Studies are locked in the order of their UIDs, so that two senders cannot wait for each other."""
    received: list[Received | None] = [one if isinstance(one, Received) else None for one in staged]
    by_study: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(staged):
        if isinstance(one, _Staged):
            by_study[one.instance.study_instance_uid].append(index)
    for study_instance_uid in sorted(by_study):
        indices = by_study[study_instance_uid]
        outcomes = _keep_study([one for i in indices if isinstance(one := staged[i], _Staged)], arrival, stored)
        for index, outcome in zip(indices, outcomes, strict=True):
            received[index] = outcome
    return [one for one in received if one is not None]


def _keep_study(staged: Sequence[_Staged], arrival: Arrival, stored: dict[str, StoredFile]) -> list[Received]:
    first = staged[0].instance
    study, is_new = _locked_study(first, arrival.site)
    known = _known_instances([one.instance for one in staged], arrival.site)
    keeper = _Keeper(study, arrival, known)
    received = [keeper.keep(one, stored) for one in staged]
    keeper.write(is_new_study=is_new)
    return received


def _locked_study(first: ReceivedInstance, site: Site) -> tuple[Study, bool]:
    uid = first.study_instance_uid
    found = Study.objects.select_for_update(of=("self",)).select_related("patient").only(*KEPT_UP_TO_DATE)
    study = found.filter(site=site, study_instance_uid=uid).order_by().first()
    if study is not None:
        return study, False
    patient = patients.find_or_create(site=site, identity=first.patient, study_instance_uid=uid)
    header = first.study()
    study = Study(
        site=site,
        patient=patient,
        study_instance_uid=uid,
        study_date=header.study_date,
        study_time=header.study_time,
        accession_number=header.accession_number,
        study_description=header.study_description,
        institution_name=header.institution_name,
        patient_name=patient.name,
        search_text=folded(patient.name, patient.patient_id, header.accession_number, header.study_description)[:1100],
    )
    study.save(force_insert=True)
    return study, True


class _Keeper:
    """One study's share of a chunk: what is already there, and the rows to be written."""

    def __init__(self, study: Study, arrival: Arrival, known: dict[str, Instance]) -> None:
        self.study = study
        self.arrival = arrival
        self.known = known
        kept = study.series.order_by().only("study", "series_instance_uid", "instance_count")
        self.series = {one.series_instance_uid: one for one in kept}
        self.new_series: list[Series] = []
        self.new_instances: list[Instance] = []

    def keep(self, staged: _Staged, stored: dict[str, StoredFile]) -> Received:
        instance = staged.instance
        if not patients.is_same_patient(self.study.patient, instance.patient):
            reason = f"study {self.study.study_instance_uid} is already kept under another patient ID or issuer"
            return _refused(instance, Refusal.WRONG_PATIENT, reason)
        known = self.known.get(instance.sop_instance_uid)
        if known is not None:
            return self._again(staged, known, stored)
        row = self._row(instance, _stored(staged, stored))
        self.known[row.sop_instance_uid] = row
        self.new_instances.append(row)
        return self._received(FileOutcome.ACCEPTED, "", instance, row)

    def _again(self, staged: _Staged, known: Instance, stored: dict[str, StoredFile]) -> Received:
        instance = staged.instance
        was_stored = stored.get(staged.sha256)
        if known.sha256 == staged.sha256:
            return self._received(FileOutcome.DUPLICATE, "the same bytes are already kept", instance, known)
        path = stored_path(was_stored.key) if was_stored else instance.path
        if is_same_content(path, stored_path(known.storage_key)):
            reason = "the same content is already kept, with another file header or transfer syntax"
            return self._received(FileOutcome.DUPLICATE, reason, instance, known)
        reason = f"SOP instance {instance.sop_instance_uid} is already kept with other content, which stays as it is"
        return self._received(FileOutcome.CONFLICT, reason, instance, known, Refusal.CONFLICT)

    def _received(
        self,
        outcome: FileOutcome,
        reason: str,
        instance: ReceivedInstance,
        row: Instance,
        refusal: Refusal | None = None,
    ) -> Received:
        return Received(
            outcome,
            reason,
            refusal,
            row.study_id,
            row.pk,
            instance.study_instance_uid,
            instance.series_instance_uid,
            instance.sop_class_uid,
            instance.sop_instance_uid,
        )

    def _row(self, instance: ReceivedInstance, stored: StoredFile) -> Instance:
        attributes: dict[str, object] = {}
        if instance.slices:
            attributes["slices"] = [as_json(one) for one in instance.slices]
            attributes["window"] = instance.window()
        if instance.frame_bytes:
            attributes["frame_bytes"] = instance.frame_bytes
        return Instance(
            site=self.arrival.site,
            study=self.study,
            series=self._series(instance),
            sop_instance_uid=instance.sop_instance_uid,
            sop_class_uid=instance.sop_class_uid,
            transfer_syntax_uid=instance.file.transfer_syntax_uid[:64],
            instance_number=instance.instance_number,
            number_of_frames=instance.number_of_frames,
            rows=instance.rows,
            columns=instance.columns,
            attributes=attributes,
            storage_key=stored.key,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            pixel_offset=instance.file.pixel_offset,
            pixel_bytes=instance.file.pixel_bytes,
        )

    def _series(self, instance: ReceivedInstance) -> Series:
        series = self.series.get(instance.series_instance_uid)
        if series is None:
            header = instance.series()
            series = Series(
                study=self.study,
                series_instance_uid=instance.series_instance_uid,
                series_number=header.series_number,
                modality=header.modality,
                series_description=header.series_description,
                attributes=as_json(header),
                rows=instance.rows,
                columns=instance.columns,
            )
            self.series[instance.series_instance_uid] = series
            self.new_series.append(series)
        series.instance_count += 1
        return series

    def write(self, *, is_new_study: bool) -> None:
        """Rows, counts, state, audit and announcement of what was kept; nothing when all of it was known."""
        if not self.new_instances:
            return
        Series.objects.bulk_create(self.new_series)
        Instance.objects.bulk_create(self.new_instances)
        new, touched = set(self.new_series), {one.series for one in self.new_instances}
        for series in touched - new:
            series.save(update_fields=["instance_count", "modified"])
        was = self.study.state
        self._update_study()
        if is_new_study or self.new_series:
            self._audit()
        if is_new_study or was != self.study.state:
            announce_study(self.study)

    def _update_study(self) -> None:
        study = self.study
        study.instance_count += len(self.new_instances)
        study.series_count = len(self.series)
        study.last_received_at = timezone.now()
        study.is_settled = False
        if state_after_arrival(study, {one.series_id for one in self.new_instances}) != study.state:
            study.state, study.state_reason = StudyState.RECEIVING, ""
        study.save(
            update_fields=[
                "instance_count",
                "series_count",
                "last_received_at",
                "is_settled",
                "state",
                "state_reason",
                "modified",
            ]
        )

    def _audit(self) -> None:
        record(
            EventKind.STUDY_RECEIVED,
            actor=self.arrival.actor,
            object_type="study",
            object_id=self.study.pk,
            site_id=self.arrival.site.pk,
            details={
                "source": str(self.arrival.source),
                "instances": len(self.new_instances),
                "series": len(self.new_series),
            },
        )


def state_after_arrival(study: Study, series_ids: set[UUID]) -> str:
    """The state once instances of these series arrived: `receiving` when they can change what the network looks at.

    A study that a reader has begun to review keeps its state, and so does one that only gained another series.
    """
    match StudyState(study.state):
        case StudyState.RECEIVING | StudyState.INCOMPLETE | StudyState.NO_FLAIR:
            return StudyState.RECEIVING
        case StudyState.IN_REVIEW | StudyState.APPROVED:
            return study.state
        case StudyState.QUEUED | StudyState.RUNNING | StudyState.READY | StudyState.FAILED:
            return StudyState.RECEIVING if study.flair_series_id in series_ids else study.state


def _refused(instance: ReceivedInstance, refusal: Refusal, reason: str) -> Received:
    return Received(
        FileOutcome.REJECTED,
        reason,
        refusal,
        study_instance_uid=instance.study_instance_uid,
        series_instance_uid=instance.series_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
    )

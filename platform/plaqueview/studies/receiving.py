"""Receiving instances: bytes kept as they came, once per SOP Instance UID, every file with one outcome.

A chunk of files costs one transaction. Bytes are in the store before their rows are, so that a row always has them.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import F

from plaqueview.accounts.models import Site, User
from plaqueview.core.storage import StoredFile, require_free_space, store_files
from plaqueview.patients import services as patients
from plaqueview.patients.models import Patient
from plaqueview.studies.arrivals import Arrival, Received, Source, Staged, refused
from plaqueview.studies.deidentifying import without_patient
from plaqueview.studies.instance_file import Refusal, RefusedError
from plaqueview.studies.instance_header import ReceivedInstance, read_received_instance
from plaqueview.studies.keeping import keep_study, known_instances
from plaqueview.studies.models import FileOutcome

logger = logging.getLogger(__name__)

MOST_RACES_LOST = 3


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


def _stage(path: Path, arrival: Arrival) -> Staged | Received:
    withheld = None
    try:
        instance = read_received_instance(path)
        if arrival.deidentified_node_id is not None:
            instance, withheld = without_patient(instance, only_study=arrival.study_instance_uid)
    except RefusedError as error:
        return Received(FileOutcome.REJECTED, error.reason, error.refusal)
    wanted = arrival.study_instance_uid
    if wanted and withheld is None and instance.study_instance_uid != wanted:
        reason = f"belongs to study {instance.study_instance_uid}, this request is for study {wanted}"
        return refused(instance, Refusal.WRONG_STUDY, reason)
    with path.open("rb") as file:
        return Staged(instance, hashlib.file_digest(file, "sha256").hexdigest(), withheld)


def _store_new(staged: Iterable[Staged | Received], arrival: Arrival, stored: dict[str, StoredFile]) -> None:
    """Files whose UID is new are in the store; what is known or refused without a lock need not go there."""
    found = [one for one in staged if isinstance(one, Staged)]
    seen = set(known_instances([one.instance for one in found], arrival.site))
    patients_of = _known_patients([one.instance for one in found], arrival.site)
    new: dict[str, Path] = {}
    for one in found:
        uid, patient = one.instance.sop_instance_uid, patients_of.get(one.instance.study_instance_uid)
        if uid not in seen and (patient is None or patients.is_same_patient(patient, one.instance.patient)):
            seen.add(uid)
            new[one.sha256] = one.instance.path
    stored.update((file.sha256, file) for file in store_files(list(new.values()), kind="dicom", sha256s=list(new)))


def _known_patients(instances: Sequence[ReceivedInstance], site: Site) -> dict[str, Patient]:
    """The patient of each study that is already there."""
    uids = {instance.study_instance_uid for instance in instances}
    found = Patient.objects.filter(studies__site=site, studies__study_instance_uid__in=uids).order_by()
    named = found.annotate(study_uid=F("studies__study_instance_uid"))
    return {one.study_uid: one for one in named.only("patient_id", "issuer_of_patient_id")}


def _keep_all(staged: Sequence[Staged | Received], arrival: Arrival, stored: dict[str, StoredFile]) -> list[Received]:
    """Studies are locked in the order of their UIDs, so that two senders cannot wait for each other."""
    received: list[Received | None] = [one if isinstance(one, Received) else None for one in staged]
    by_study: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(staged):
        if isinstance(one, Staged):
            by_study[one.instance.study_instance_uid].append(index)
    for study_instance_uid in sorted(by_study):
        indices = by_study[study_instance_uid]
        outcomes = keep_study([one for i in indices if isinstance(one := staged[i], Staged)], arrival, stored)
        for index, outcome in zip(indices, outcomes, strict=True):
            received[index] = _as_sent(outcome, staged[index])
    return [one for one in received if one is not None]


def _as_sent(received: Received, staged: Staged | Received) -> Received:
    """With the sender's own name for an instance that is kept without its patient."""
    if isinstance(staged, Received) or staged.withheld is None:
        return received
    return replace(received, sent_sop_instance_uid=staged.withheld.sop_instance_uid)

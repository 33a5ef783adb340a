"""A snapshot is built: each approved version looked at, de-identified, stored, and the whole frozen under its hash."""

import hashlib
import logging
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit.models import EventKind
from plaqueview.core import clock
from plaqueview.core.errors import UnavailableError
from plaqueview.core.leases import ClaimLostError, extend, lapsed_at, take, unclaimed
from plaqueview.core.queue import enqueue
from plaqueview.core.storage import store_bytes
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.nifti import encode_volume_nifti
from plaqueview.imaging.volume import Volume
from plaqueview.patients.pseudonyms import pseudonym_of
from plaqueview.studies.services import load_volume, read_scanner
from plaqueview.training import journal
from plaqueview.training.labels import TrainingLabels, training_labels
from plaqueview.training.manifest import counts_of, manifest_of, manifest_sha256
from plaqueview.training.models import DatasetSnapshot, SnapshotState, SnapshotStudy
from plaqueview.training.rules import InclusionRules, objections
from plaqueview.training.sides import Place, place_patients
from plaqueview.training.snapshots import BUILD_TASK

logger = logging.getLogger(__name__)

KIND: Final = "training"
COMPRESSION_LEVEL: Final = 4
GZIP_BITS: Final = 31  # zlib's window of 15 bits in gzip's frame, without a time
LONGEST_EXCLUSION: Final = 500


class NothingApprovedError(ValueError):
    """No study passes the rules."""


@dataclass(frozen=True)
class BuildClaim:
    """The right to build a snapshot; `token` is a secret between the worker and the database."""

    snapshot_id: UUID
    token: UUID


def lease() -> timedelta:
    return timedelta(seconds=settings.TRAINING_LEASE_S)


def build_snapshot(snapshot_id: UUID) -> None:
    """The snapshot is ready, or failed with a reason, or another worker's."""
    claim = claim_snapshot(snapshot_id)
    if claim is None:
        logger.info("snapshot %s has ended or is another worker's", snapshot_id)
        return
    try:
        _freeze(claim, _rows_of(claim))
    except ClaimLostError as end:
        logger.info("snapshot %s: nothing was written: %s", snapshot_id, end)
    except (NothingApprovedError, UnavailableError) as error:
        _fail(claim, str(error))


@transaction.atomic
def claim_snapshot(snapshot_id: UUID) -> BuildClaim | None:
    """The snapshot is this worker's to build; None when it has ended, or another worker holds it."""
    now = clock.now()
    claimable = DatasetSnapshot.objects.claimable(now)
    free = claimable.filter(pk=snapshot_id, attempts__lt=settings.JOB_MAX_ATTEMPTS)
    token = take(free, now=now, running=SnapshotState.BUILDING, length=lease())
    if token is None:
        return None
    journal.publish_snapshot(DatasetSnapshot.objects.get(pk=snapshot_id))
    return BuildClaim(snapshot_id, token)


def newest_approved(site_ids: Sequence[UUID]) -> QuerySet[Annotation]:
    """The newest approved version of each study of the sites."""
    newest = Annotation.objects.filter(study=OuterRef("study"), state=AnnotationState.APPROVED).order_by("-version")
    approved = Annotation.objects.filter(study__site__in=site_ids, pk=Subquery(newest.values("pk")[:1]))
    return approved.select_related("study__patient", "series", "author", "base").order_by("study__study_instance_uid")


def _rows_of(claim: BuildClaim) -> list[SnapshotStudy]:
    """One study after the other; their files are stored, no row is written yet.

    One is read while the one before is compressed and written, so that memory holds two of them, and no more.
    Each is looked up by itself: SQLite lets nobody write who still reads from before another's writing, so that rows
    which come from one long query would end the build when the lease is renewed.
    """
    snapshot = DatasetSnapshot.objects.get(pk=claim.snapshot_id)
    rules = InclusionRules.from_json(snapshot.rules)
    found = list(newest_approved(journal.site_ids_of(snapshot)).values_list("pk", flat=True))
    approved = Annotation.objects.select_related("study__patient", "series", "author", "base")
    rows: list[SnapshotStudy] = []
    written: Future[None] | None = None
    with ThreadPoolExecutor(1) as writer:
        for annotation_id in found:
            if not extend(DatasetSnapshot.objects.filter(pk=claim.snapshot_id), claim.token, lease()):
                raise ClaimLostError(f"the claim on snapshot {claim.snapshot_id} has lapsed")
            row, material = _row(snapshot, approved.get(pk=annotation_id), rules)
            rows.append(row)
            if written is not None:
                written.result()
            written = writer.submit(_store, row, *material) if material else None
    if written is not None:
        written.result()
    return rows


def _row(
    snapshot: DatasetSnapshot, annotation: Annotation, rules: InclusionRules
) -> tuple[SnapshotStudy, tuple[Volume, TrainingLabels] | None]:
    """The row, and what its files will hold; nothing of a study that is left out."""
    row = SnapshotStudy(
        snapshot=snapshot,
        annotation=annotation,
        study=pseudonym_of(annotation.study.study_instance_uid, prefix="S"),
    )
    try:
        row.scanner = read_scanner(annotation.series_id).name[:150]
        if found := "; ".join(objections(rules, annotation, scanner=row.scanner)):
            row.exclusion = found[:LONGEST_EXCLUSION]
            return row, None
        flair = load_volume(annotation.series_id).volume
        labels = training_labels(annotation, trusted=rules.trusted_sources)
    except SeriesReadError:
        row.exclusion = "the series cannot be read as one volume"
        return row, None
    if not labels.labels.lies_on(flair):
        row.exclusion = "the mask lies on another grid than the series, which has changed since"
        return row, None
    return row, (flair, labels)


def _store(row: SnapshotStudy, flair: Volume, labels: TrainingLabels) -> None:
    """The two files hold voxels and geometry, and nothing else of the study."""
    row.flair_key = _stored_nifti(in_half(flair), strategy=zlib.Z_RLE)
    row.labels_key = _stored_nifti(flair.with_voxels(labels.labels.voxels), strategy=zlib.Z_DEFAULT_STRATEGY)
    row.image_sha256 = hashlib.sha256(np.ascontiguousarray(flair.voxels).data).hexdigest()
    row.slices = flair.shape[0]
    row.lesions = [lesion.as_json() for lesion in labels.lesions]


def in_half(flair: Volume) -> Volume:
    """The same values as int16 where it holds them, as most scanners send them: half of the bytes to compress."""
    with np.errstate(invalid="ignore"):  # what does not fit is seen by the comparison
        whole = flair.voxels.astype(np.int16)
    return flair.with_voxels(whole) if np.array_equal(whole, flair.voxels) else flair


def _stored_nifti(volume: Volume, *, strategy: int) -> str:
    """Noise repeats nothing: to look for it took half of a snapshot's time, and saved 2 % of a FLAIR's bytes."""
    gzip = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_BITS, zlib.DEF_MEM_LEVEL, strategy)
    return store_bytes([gzip.compress(encode_volume_nifti(volume)), gzip.flush()], kind=KIND).key


@transaction.atomic
def _freeze(claim: BuildClaim, rows: list[SnapshotStudy]) -> None:
    snapshot = _held(claim)
    if all(row.exclusion for row in rows):
        raise NothingApprovedError(_why_nothing(rows))
    places = place_patients({row.annotation.study.patient for row in rows if not row.exclusion})
    for row in rows:
        _name(row, places.get(row.annotation.study.patient))
    SnapshotStudy.objects.bulk_create(rows)
    snapshot.counts = counts_of(rows)
    snapshot.excluded_count = sum(1 for row in rows if row.exclusion)
    snapshot.sha256 = manifest_sha256(manifest_of(snapshot, rows))
    _end(snapshot, SnapshotState.READY, EventKind.SNAPSHOT_READY)


def _name(row: SnapshotStudy, place: Place | None) -> None:
    """A patient of whom nothing is taken in gets no side, and a pseudonym that is told to nobody else."""
    if place is None or row.exclusion:
        row.patient = place.pseudonym if place else pseudonym_of(str(row.annotation.study.patient_id), prefix="X")
        return
    row.patient, row.side = place.pseudonym, place.side


def _why_nothing(rows: list[SnapshotStudy]) -> str:
    if not rows:
        return "No study of these sites has an approved version."
    return f"None of {len(rows)} approved versions passes the rules; the first: {rows[0].exclusion}."


@transaction.atomic
def _fail(claim: BuildClaim, reason: str) -> None:
    snapshot = _held(claim)
    snapshot.reason = reason
    _end(snapshot, SnapshotState.FAILED, EventKind.SNAPSHOT_FAILED)


def _held(claim: BuildClaim) -> DatasetSnapshot:
    """The snapshot, locked, while the claim holds. Raises: ClaimLostError."""
    held = DatasetSnapshot.objects.select_for_update().filter(pk=claim.snapshot_id, lease_token=claim.token).first()
    if held is None:
        raise ClaimLostError(f"the claim on snapshot {claim.snapshot_id} has lapsed")
    return held


def _end(snapshot: DatasetSnapshot, state: SnapshotState, kind: EventKind) -> None:
    snapshot.state, snapshot.finished_at = state, clock.now()
    snapshot.lease_token = snapshot.lease_expires_at = None
    snapshot.save()
    journal.record_snapshot(kind, snapshot, actor=None)
    journal.publish_snapshot(snapshot)


@transaction.atomic
def tend_snapshots() -> None:
    """Snapshots of dead workers are built again, or have failed; those whose message was lost are announced again."""
    lapsed = DatasetSnapshot.objects.select_for_update().filter(lapsed_at(clock.now(), SnapshotState.BUILDING))
    for snapshot in lapsed:
        if snapshot.attempts >= settings.JOB_MAX_ATTEMPTS:
            snapshot.reason = f"The worker died {snapshot.attempts} times while it built this snapshot."
            _end(snapshot, SnapshotState.FAILED, EventKind.SNAPSHOT_FAILED)
        else:
            snapshot.state, snapshot.lease_token, snapshot.lease_expires_at = SnapshotState.QUEUED, None, None
            snapshot.save()
            enqueue(BUILD_TASK, str(snapshot.pk))
    rows = DatasetSnapshot.objects.all()
    for snapshot_id in unclaimed(rows, queued=SnapshotState.QUEUED, running=SnapshotState.BUILDING):
        enqueue(BUILD_TASK, str(snapshot_id))

"""A received NIfTI file as a DICOM series; the file itself is kept byte for byte beside it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from django.db import transaction
from pydicom.dataset import Dataset

from plaqueview.core.storage import incoming_folder, store_file
from plaqueview.imaging.nifti import GZIP_MAGIC, HEADER_CLASSES, NiftiError, read_volume_nifti
from plaqueview.imaging.nifti_to_dicom import NiftiConversionError, series_of
from plaqueview.studies.arrivals import Arrival, Received
from plaqueview.studies.instance_file import Refusal
from plaqueview.studies.models import FileOutcome, Series, SeriesSource
from plaqueview.studies.receiving import receive_all


def is_nifti(path: Path) -> bool:
    """Whether the content begins as a NIfTI file does, or is compressed as one may be."""
    with path.open("rb") as file:
        start = file.read(4)
    sizes = {int.from_bytes(start, "little"), int.from_bytes(start, "big")}
    return start[:2] == GZIP_MAGIC or not sizes.isdisjoint(HEADER_CLASSES)


def receive_nifti(
    *,
    path: Path,
    name: str,
    arrival: Arrival,
    patient_id: str = "",
    remember: Callable[[Received], None] | None = None,
) -> Received:
    """The file is kept as received and its slices stand in the tables as one series, or the outcome says why not.

    `name` is what the sender called it: there is nothing else in a NIfTI to tell whether it is a FLAIR. Its folder is
    kept too, for many are called flair.nii.gz. Without a `patient_id` the volume is of a patient of its own.
    """
    name = _with_folder(name)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    kept = Series.objects.filter(study__site=arrival.site, source_key__endswith=f"/{sha256}").first()
    if kept is not None:
        received = Received(FileOutcome.DUPLICATE, "the same bytes are already kept", study_id=kept.study_id)
        return _remembered(received, remember)
    try:
        datasets = series_of(read_volume_nifti(path), source_sha256=sha256, source_name=name, patient_id=patient_id)
    except (NiftiError, NiftiConversionError) as error:
        refused = Received(FileOutcome.REJECTED, f"not DICOM, and no usable NIfTI: {error}", Refusal.NOT_DICOM)
        return _remembered(refused, remember)
    return _receive_series(path, name, datasets, arrival, remember)


def _with_folder(name: str) -> str:
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return "/".join(parts[-2:])[-255:] or "volume.nii"


def _receive_series(
    path: Path,
    name: str,
    datasets: Sequence[Dataset],
    arrival: Arrival,
    remember: Callable[[Received], None] | None,
) -> Received:
    source_key = store_file(path, kind="nifti").key

    def remember_series(received: Sequence[Received]) -> None:
        one = _summary(received)
        if one.outcome == FileOutcome.ACCEPTED:
            series = Series.objects.get(study=one.study_id, series_instance_uid=datasets[0].SeriesInstanceUID)
            series.source, series.source_key, series.source_name = SeriesSource.NIFTI, source_key, name
            series.save(update_fields=["source", "source_key", "source_name", "modified"])
        if remember is not None:
            remember(one)

    with incoming_folder() as folder:
        paths = [folder / str(index) for index in range(len(datasets))]
        for file, dataset in zip(paths, datasets, strict=True):
            dataset.save_as(file, enforce_file_format=True)
        return _summary(receive_all(paths=paths, arrival=arrival, remember=remember_series))


def _summary(received: Sequence[Received]) -> Received:
    """One outcome for the file: that of its slices, the worst of them first."""
    order = [FileOutcome.CONFLICT, FileOutcome.REJECTED, FileOutcome.ACCEPTED, FileOutcome.DUPLICATE]
    return replace(min(received, key=lambda one: order.index(one.outcome)), instance_id=None)


def _remembered(received: Received, remember: Callable[[Received], None] | None) -> Received:
    if remember is not None:
        with transaction.atomic():
            remember(received)
    return received

"""Storing by DICOMweb. Source: PS3.18 10.5."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from plaqueview.core.errors import TooLargeError
from plaqueview.core.storage import incoming_folder
from plaqueview.pacs.failures import CANNOT_UNDERSTAND, COERCED, SOP_CLASS_NOT_SUPPORTED, STATUS_OF_REFUSAL
from plaqueview.pacs.multipart import BrokenBodyError, Part, PartReader
from plaqueview.studies import services
from plaqueview.studies.models import FileOutcome
from plaqueview.studies.services import Arrival, Received

READ_BYTES = 1024 * 1024
CHUNK_FILES = 64
CHUNK_BYTES = 64 * 1024 * 1024
STORED = {FileOutcome.ACCEPTED, FileOutcome.DUPLICATE}
DICOM_TYPES = {"application/dicom", ""}

Json = dict[str, Any]  # Any: DICOM JSON nests freely


@dataclass
class StowReport:
    """What became of the parts of a request, in their order."""

    received: list[Received] = field(default_factory=list)
    foreign_parts: int = 0

    @property
    def status(self) -> HTTPStatus:
        """Source: PS3.18 Table 10.5.3-2: all stored, some, none."""
        failed = self.foreign_parts + sum(one.outcome not in STORED for one in self.received)
        total = self.foreign_parts + len(self.received)
        if not failed and total:
            return HTTPStatus.OK
        return HTTPStatus.ACCEPTED if failed < total else HTTPStatus.CONFLICT

    @property
    def study_ids(self) -> set[UUID]:
        return {one.study_id for one in self.received if one.study_id is not None}


def store_body(read: Callable[[int], bytes], *, boundary: str, arrival: Arrival) -> StowReport:
    """Every part of the body is kept or refused, and the studies are settled soon after.

    What was whole before a body breaks off is kept.

    Raises: BrokenBodyError, TooLargeError for more parts than the department accepts, UnavailableError.
    """
    report = StowReport()
    try:
        with incoming_folder() as folder:
            for parts in _chunks_of_parts(read, boundary, folder):
                _keep(parts, arrival, report)
    except BrokenBodyError as error:
        kept = sum(one.outcome in STORED for one in report.received)
        raise BrokenBodyError(f"{error}; {kept} instances before it are kept") from error
    finally:
        services.settle_soon(report.study_ids)
    return report


def _chunks_of_parts(read: Callable[[int], bytes], boundary: str, folder: Path) -> Iterator[list[Part]]:
    reader = PartReader(boundary, folder)
    try:
        while chunk := read(READ_BYTES):
            reader.feed(chunk)
            if len(reader.ready) >= CHUNK_FILES or sum(part.size_bytes for part in reader.ready) >= CHUNK_BYTES:
                yield _taken(reader)
        yield _taken(reader)
        reader.finish()
    finally:
        reader.close()


def _taken(reader: PartReader) -> list[Part]:
    parts, reader.ready = reader.ready, []
    return parts


def _keep(parts: Sequence[Part], arrival: Arrival, report: StowReport) -> None:
    instances = [part for part in parts if part.media_type in DICOM_TYPES]
    report.foreign_parts += len(parts) - len(instances)
    if report.foreign_parts + len(report.received) + len(instances) > settings.UPLOAD_MAX_FILES:
        raise TooLargeError(f"the request has more than {settings.UPLOAD_MAX_FILES} parts")
    report.received += services.receive_all(paths=[part.path for part in instances], arrival=arrival)
    for part in parts:
        part.path.unlink(missing_ok=True)


def response_dataset(report: StowReport, root: str) -> Json:
    """The Store Instances Response, as DICOM JSON; `root` is the address of the DICOMweb service."""
    stored = [one for one in report.received if one.outcome in STORED]
    failed = [one for one in report.received if one.outcome not in STORED]
    named = [one for one in failed if one.sop_instance_uid]
    others = [
        STATUS_OF_REFUSAL[one.refusal] if one.refusal else CANNOT_UNDERSTAND for one in failed if one not in named
    ]
    others += [SOP_CLASS_NOT_SUPPORTED] * report.foreign_parts
    studies = {one.study_instance_uid for one in stored if not one.sent_sop_instance_uid}
    dataset: Json = {}
    if len(studies) == 1:
        dataset["00081190"] = _element("UR", f"{root}/studies/{studies.pop()}")
    if named:
        dataset["00081198"] = _sequence({**_reference(one), **_failure(_status(one))} for one in named)
    if stored:
        dataset["00081199"] = _sequence({**_reference(one), **_whereabouts(one, root)} for one in stored)
    if others:
        dataset["0008119A"] = _sequence(_failure(status) for status in others)
    return dataset


def reasons(report: StowReport) -> list[str]:
    """Each reason for a failure once, for people; the dataset has codes only."""
    return sorted({one.reason for one in report.received if one.outcome not in STORED})


def _status(received: Received) -> int:
    return STATUS_OF_REFUSAL[received.refusal] if received.refusal else CANNOT_UNDERSTAND


def _url(received: Received, root: str) -> str:
    series = f"{root}/studies/{received.study_instance_uid}/series/{received.series_instance_uid}"
    return f"{series}/instances/{received.sop_instance_uid}"


def _whereabouts(received: Received, root: str) -> Json:
    """Where the instance is. Of one that lost its patient nothing but that it is not as it was sent."""
    if received.sent_sop_instance_uid:
        return {"00081196": _element("US", COERCED)}
    return {"00081190": _element("UR", _url(received, root))}


def _reference(received: Received) -> Json:
    uid = received.sent_sop_instance_uid or received.sop_instance_uid
    return {"00081150": _element("UI", received.sop_class_uid), "00081155": _element("UI", uid)}


def _failure(status: int) -> Json:
    return {"00081197": _element("US", status)}


def _element(vr: str, value: str | int) -> Json:
    return {"vr": vr, "Value": [value]}


def _sequence(items: Iterable[Json]) -> Json:
    return {"vr": "SQ", "Value": list(items)}

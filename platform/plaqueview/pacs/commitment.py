"""What the messages of storage commitment say. Source: PS3.4 J.3.2 (N-ACTION) and J.3.3 (N-EVENT-REPORT)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydicom.dataset import Dataset

REQUEST_COMMITMENT: Final = 1
ALL_COMMITTED, FAILURES_EXIST = 1, 2
MOST_INSTANCES: Final = 100_000

# Source: PS3.3 C.14.1.1, PS3.7 C.5.
PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_INSTANCE: Final = 0x0112
INVALID_ARGUMENT: Final = 0x0115
CLASS_CONFLICT: Final = 0x0119
NO_SUCH_ACTION: Final = 0x0123
NOT_AUTHORIZED: Final = 0x0124
NO_SUCH_EVENT: Final = 0x0113


class MalformedCommitmentError(ValueError):
    """The message lacks what the standard demands of it."""


@dataclass(frozen=True)
class CommitmentReport:
    """What a keeper says of a transaction: who is kept, and who is not, for which reason. UIDs to class UIDs."""

    transaction_uid: str
    kept: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def event_type(self) -> int:
        return FAILURES_EXIST if self.failed else ALL_COMMITTED


def request_of(transaction_uid: str, classes_by_uid: Mapping[str, str]) -> Dataset:
    """The Action Information of a request."""
    dataset = Dataset()
    dataset.TransactionUID = transaction_uid
    dataset.ReferencedSOPSequence = _references(classes_by_uid)
    return dataset


def requested(dataset: Dataset) -> tuple[str, dict[str, str]]:
    """The transaction and the class of each instance that a request names. Raises: MalformedCommitmentError."""
    uid, named = _transaction(dataset), _named(dataset, "ReferencedSOPSequence")
    if not named:
        raise MalformedCommitmentError("a request for storage commitment names no instance")
    return uid, named


def event_of(report: CommitmentReport) -> Dataset:
    """The Event Information of a report."""
    dataset = Dataset()
    dataset.TransactionUID = report.transaction_uid
    if report.kept:
        dataset.ReferencedSOPSequence = _references(report.kept)
    if report.failed:
        dataset.FailedSOPSequence = _references({uid: sop_class for uid, (sop_class, _) in report.failed.items()})
        for item, (_, reason) in zip(dataset.FailedSOPSequence, report.failed.values(), strict=True):
            item.FailureReason = reason
    return dataset


def report_of(dataset: Dataset) -> CommitmentReport:
    """Raises: MalformedCommitmentError."""
    failed = _named(dataset, "FailedSOPSequence")
    reasons = {
        str(item.ReferencedSOPInstanceUID): int(item.get("FailureReason") or PROCESSING_FAILURE)
        for item in dataset.get("FailedSOPSequence") or []
    }
    return CommitmentReport(
        _transaction(dataset),
        _named(dataset, "ReferencedSOPSequence"),
        {uid: (sop_class, reasons[uid]) for uid, sop_class in failed.items()},
    )


def _transaction(dataset: Dataset) -> str:
    uid = str(dataset.get("TransactionUID") or "")
    if not uid or len(uid) > 64:
        raise MalformedCommitmentError("storage commitment without a Transaction UID")
    return uid


def _named(dataset: Dataset, keyword: str) -> dict[str, str]:
    items: Iterable[Dataset] = dataset.get(keyword) or []
    try:
        named = {str(item.ReferencedSOPInstanceUID): str(item.ReferencedSOPClassUID) for item in items}
    except AttributeError as error:
        raise MalformedCommitmentError(f"an item of {keyword} lacks the UID of its instance or class") from error
    if len(named) > MOST_INSTANCES:
        raise MalformedCommitmentError(f"{keyword} has {len(named)} instances, at most {MOST_INSTANCES}")
    return named


def _references(classes_by_uid: Mapping[str, str]) -> list[Dataset]:
    items = []
    for uid, sop_class in classes_by_uid.items():
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        items.append(item)
    return items

"""What a snapshot holds, as canonical JSON: its hash is the snapshot's."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from plaqueview.core.storage import hash_in
from plaqueview.training.models import DatasetSnapshot, Side, SnapshotStudy

FORMAT: Final = 1
CONVENTION: Final = "labels.nii.gz: 0 background, 1 inactive, 2 active, 3 plaque whose class nobody confirmed"

JSON = dict[str, Any]  # Any: JSON


def manifest_of(snapshot: DatasetSnapshot, studies: Iterable[SnapshotStudy]) -> JSON:
    """Rules, and every study with the hashes of its files, or with the reason why it is not in."""
    rows = sorted(studies, key=lambda row: (row.patient, row.study))
    return {
        "format": FORMAT,
        "labels": CONVENTION,
        "rules": snapshot.rules,
        "studies": [_included(row) for row in rows if not row.exclusion],
        "excluded": [_excluded(row) for row in rows if row.exclusion],
    }


def manifest_bytes(manifest: JSON) -> bytes:
    return json.dumps(manifest, sort_keys=True, indent=1).encode()


def manifest_sha256(manifest: JSON) -> str:
    return hashlib.sha256(manifest_bytes(manifest)).hexdigest()


def counts_of(studies: Iterable[SnapshotStudy]) -> JSON:
    """By side: patients, studies, slices, and lesions by class and by source."""
    rows = [row for row in studies if not row.exclusion]
    return {side.value: _counts([row for row in rows if row.side == side]) for side in Side}


def _counts(rows: list[SnapshotStudy]) -> JSON:
    lesions = [lesion for row in rows for lesion in row.lesions]
    return {
        "patients": len({row.patient for row in rows}),
        "studies": len(rows),
        "slices": sum(row.slices for row in rows),
        "lesions": len(lesions),
        "classes": dict(sorted(Counter(lesion["lesion_class"] for lesion in lesions).items())),
        "sources": dict(sorted(Counter(lesion["source"] for lesion in lesions).items())),
    }


def _excluded(row: SnapshotStudy) -> JSON:
    return {"patient": row.patient, "study": row.study, "why": row.exclusion}


def _included(row: SnapshotStudy) -> JSON:
    return {
        "patient": row.patient,
        "study": row.study,
        "side": row.side,
        "scanner": row.scanner,
        "slices": row.slices,
        "image_sha256": row.image_sha256,
        "flair_sha256": hash_in(row.flair_key),
        "labels_sha256": hash_in(row.labels_key),
        "lesions": row.lesions,
    }

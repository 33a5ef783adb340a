"""The header of a stored instance as DICOM JSON. Source: PS3.18 F.2."""

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import caches
from pydicom import dcmread
from pydicom.dataset import Dataset

from plaqueview.core.storage import stored_path
from plaqueview.pacs.bulk_data import PIXEL_DATA, item_at, large_elements, uri_of
from plaqueview.pacs.retrieval import StoredInstance

# Thousands are kept in memory; that of a multi-frame image can take megabytes.
LARGEST_KEPT_BYTES = 16 * 1024


def metadata_of(instances: Sequence[StoredInstance]) -> bytes:
    """A JSON array with one dataset per instance; what was read lately is not read again."""
    cache = caches["headers"]
    known = cache.get_many([instance.sha256 for instance in instances])
    fresh = {one.sha256: _read(one) for one in instances if one.sha256 not in known}
    cache.set_many({sha256: header for sha256, header in fresh.items() if len(header) <= LARGEST_KEPT_BYTES})
    return b"[" + b",".join({**known, **fresh}[one.sha256] for one in instances) + b"]"


def _read(instance: StoredInstance) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
        header = dcmread(stored_path(instance.storage_key), stop_before_pixels=True)
        elsewhere = large_elements(header)
        for place in elsewhere:
            dataset, tag = item_at(header, place)
            del dataset[tag]
        values = header.to_json_dict(suppress_invalid_tags=True)
    if instance.rows:
        elsewhere[PIXEL_DATA] = "OW" if instance.pixel_bytes else "OB"
    for place, vr in elsewhere.items():
        _put(values, place, {"vr": vr, "BulkDataURI": _uri(header, place)})
    values["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    values["00083002"] = {"vr": "UI", "Value": [instance.transfer_syntax_uid]}
    return json.dumps(_finite(values), separators=(",", ":"), sort_keys=True).encode()


def _put(values: dict[str, Any], place: str, element: dict[str, str]) -> None:  # Any: JSON
    """The element is at its place, unless its sequence was left out with another element that no JSON can hold."""
    *way, tag = place.split(".")
    for sequence, number in zip(way[::2], way[1::2], strict=True):
        if sequence not in values:
            return
        values = values[sequence]["Value"][int(number)]
    values[tag] = element


def _uri(header: Dataset, place: str) -> str:
    return uri_of(
        f"{settings.ORIGIN}/dicom-web",
        study_uid=header.StudyInstanceUID,
        series_uid=header.SeriesInstanceUID,
        instance_uid=header.SOPInstanceUID,
        place=place,
    )


def _finite(value: Any) -> Any:  # Any: JSON
    """JSON has no NaN and no infinity; such a value is left empty."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

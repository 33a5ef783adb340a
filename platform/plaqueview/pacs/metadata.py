"""The header of a stored instance as DICOM JSON. Source: PS3.18 F.2."""

import json
import math
import warnings
from collections.abc import Hashable, Iterable
from contextlib import suppress
from typing import Any

from pydicom import dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import AMBIGUOUS_VR

from plaqueview.core.storage import stored_path
from plaqueview.pacs.bulk_data import LARGEST_INLINE_BYTES, PIXEL_DATA, item_at, large_elements, uri_of
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.studies.instance_file import UNREADABLE

# Texts of elements by what decides them; None where no JSON holds the value.
Texts = dict[Hashable, str | None]


def read_headers(instances: Iterable[StoredInstance]) -> dict[str, bytes]:
    """Of each instance a JSON object in one line, by its storage key. A `BulkDataURI` begins behind the root."""
    alike: Texts = {}
    return {instance.storage_key: _read(instance, alike) for instance in instances}


def _read(instance: StoredInstance, alike: Texts) -> bytes:
    """The slices of a series say mostly the same: `alike` keeps what each element was turned into."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
        header = dcmread(stored_path(instance.storage_key), stop_before_pixels=True)
        texts = {f"{element.tag:08X}": _text_of(element, header, alike) for element in list(header.values())}
    if instance.rows:
        vr = "OW" if instance.pixel_bytes else "OB"
        texts[PIXEL_DATA] = _json({"vr": vr, "BulkDataURI": _uri(header, PIXEL_DATA)})
    texts["00080005"] = _json({"vr": "CS", "Value": ["ISO_IR 192"]})
    texts["00083002"] = _json({"vr": "UI", "Value": [instance.transfer_syntax_uid]})
    members = [f'"{tag}":{text}' for tag, text in sorted(texts.items()) if text is not None]
    return f"{{{','.join(members)}}}".encode()


def _text_of(element: DataElement | RawDataElement, header: Dataset, alike: Texts) -> str | None:
    key = _what_decides(element, header)
    if key is None:
        return _converted(header[element.tag], header)
    if key not in alike:
        alike[key] = _converted(header[element.tag], header)
    return alike[key]


def _what_decides(element: DataElement | RawDataElement, header: Dataset) -> Hashable | None:
    """Two elements with the same have the same text. None where other elements decide, too: which VR the value has, and
    the address of one that is left out.
    """
    if not isinstance(element, RawDataElement) or len(element.value or b"") > LARGEST_INLINE_BYTES:
        return None
    if element.VR == "UN" or (element.VR is None and _vr_hangs_on_others(element)):
        return None
    encoding = str(header.original_character_set), element.is_little_endian
    return element.tag, element.VR, element.value, encoding


def _vr_hangs_on_others(element: RawDataElement) -> bool:
    """In a file that does not say VRs, whether the dictionary's does not do. An item's elements are not looked at."""
    if element.tag.is_private or not dictionary_has_tag(element.tag):
        return True
    vr = dictionary_VR(element.tag)
    return vr == "SQ" or vr in AMBIGUOUS_VR


def _converted(element: DataElement, header: Dataset) -> str | None:
    dataset = Dataset()
    dataset.add(element)
    elsewhere = large_elements(dataset)
    for place in elsewhere:
        item, tag = item_at(dataset, place)
        del item[tag]
    values = _members(dataset)
    for place, vr in elsewhere.items():
        _put(values, place, {"vr": vr, "BulkDataURI": _uri(header, place)})
    tag_name = f"{element.tag:08X}"
    return _json(_sayable(values[tag_name])) if tag_name in values else None


def _members(dataset: Dataset) -> dict[str, Any]:  # Any: JSON
    """The elements by their tags, without those that no JSON can hold; the library leaves out a sequence for one."""
    members: dict[str, Any] = {}
    for tag in dataset.keys():  # noqa: SIM118  # to iterate a dataset converts its elements
        with suppress(*UNREADABLE):
            members[f"{tag:08X}"] = _member(dataset[tag])
    return members


def _member(element: DataElement) -> dict[str, Any]:  # Any: JSON
    if element.VR == "SQ":
        values: list[Any] = [_members(item) for item in element.value]
    elif element.VR == "PN" and element.VM > 1:
        values = [_name(str(one)) for one in element.value]
    else:
        return element.to_json_dict(None, LARGEST_INLINE_BYTES)
    return {"vr": element.VR, "Value": values} if values else {"vr": element.VR}


def _name(text: str) -> dict[str, str] | None:
    """The groups of a name; the library stumbles over one that is empty among others."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    return {group: part for group, part in groups if part} or None


def _json(value: Any) -> str:  # Any: JSON
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


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
        "",
        study_uid=header.StudyInstanceUID,
        series_uid=header.SeriesInstanceUID,
        instance_uid=header.SOPInstanceUID,
        place=place,
    )


def _sayable(value: Any) -> Any:  # Any: JSON
    """JSON has no NaN and no infinity; such a value is null, as an empty one among others is. Source: PS3.18 F.2.5."""
    if isinstance(value, dict):
        return {name: _sayable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [None if one == "" else _sayable(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Whether two files of one SOP instance hold the same content, though not the same bytes.

A peer writes its own file meta, and may send a native dataset once with implicit and once with explicit VRs.
"""

import warnings
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from plaqueview.studies.instance_file import UNREADABLE

NATIVE_LITTLE_ENDIAN = {ImplicitVRLittleEndian, ExplicitVRLittleEndian}

# Above this, two encodings of one dataset are not compared: reading both whole would cost the memory of a server.
LARGEST_COMPARED_BYTES = 256 * 1024 * 1024


def is_same_content(path: Path, kept_path: Path) -> bool:
    """True when the datasets, without file meta and group lengths, are equal element by element.

    A dataset compressed in one file and not in the other is other content: whether pixels agree is not looked into.
    """
    if max(path.stat().st_size, kept_path.stat().st_size) > LARGEST_COMPARED_BYTES:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrived, kept = dcmread(path), dcmread(kept_path)
            return _encoding(arrived) == _encoding(kept) and _is_equal(arrived, kept)
    except UNREADABLE:
        return False


def _encoding(dataset: FileDataset) -> str:
    syntax = dataset.file_meta.TransferSyntaxUID
    return "native little endian" if syntax in NATIVE_LITTLE_ENDIAN else str(syntax)


def _is_equal(one: Dataset, other: Dataset) -> bool:
    tags = [tag for tag in one.keys() if tag.element != 0]  # noqa: SIM118  # iterating decodes every element
    others = [tag for tag in other.keys() if tag.element != 0]  # noqa: SIM118  # as above
    return tags == others and all(_is_equal_element(one, other, tag) for tag in tags)


def _is_equal_element(one: Dataset, other: Dataset, tag: BaseTag) -> bool:
    """Both encodings are little endian, so values are equal when their bytes are; a sequence is looked into."""
    if one.get_item(tag).value == other.get_item(tag).value:
        return True
    if one[tag].VR != "SQ" or other[tag].VR != "SQ" or len(one[tag].value) != len(other[tag].value):
        return False
    return all(map(_is_equal, one[tag].value, other[tag].value))

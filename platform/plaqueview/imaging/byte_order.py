"""Binary values in the other byte order, which pydicom leaves to its caller. Source: PS3.5 7.3."""

from typing import Final

import numpy as np
from pydicom.dataset import Dataset

# Of how many bytes the words of a binary value are, where they are of more than one.
WORD_BYTES: Final = {"OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2}


class BrokenWordsError(ValueError):
    """A value is no whole number of the words of its VR."""


def turned(value: bytes, vr: str) -> bytes:
    """The value with each of its words in the other byte order. Raises: BrokenWordsError."""
    word_bytes = WORD_BYTES.get(vr, 1)
    if len(value) % word_bytes:
        raise BrokenWordsError(f"{len(value)} bytes; its VR {vr} needs words of {word_bytes}")
    return np.frombuffer(value, f"u{word_bytes}").byteswap().tobytes()


def turn_words(dataset: Dataset) -> None:
    """All binary values are in the other byte order, in items of sequences too.

    Numbers and tags are turned by pydicom when it writes them. Raises: BrokenWordsError.
    """
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                turn_words(item)
        elif element.VR in WORD_BYTES and element.value:
            element.value = turned(element.value, element.VR)

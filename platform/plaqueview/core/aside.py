"""Stored bytes that no row names any more: out of their place first, gone an hour later.

Whoever stored the same bytes before they were set aside, and has committed since, gets them back.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from plaqueview.core import copies
from plaqueview.core.disk import make_folders, side_by_side
from plaqueview.core.storage import open_stored, stored_keys, stored_size

Wanted = Callable[[Collection[str]], Collection[str]]


def set_aside(keys: Collection[str]) -> None:
    """The bytes are out of their place, though not yet gone: `settle_set_aside` decides."""
    side_by_side(_set_aside, list(keys))


def settle_set_aside(*, wanted_among: Wanted, older_than_s: float) -> int:
    """What was set aside so long ago is gone, or back in its place if it is wanted; returns how many files are gone."""
    keys = list(_aside_before(time.time() - older_than_s))
    wanted = wanted_among(keys)
    return sum(side_by_side(lambda key: _settle(key, is_wanted=key in wanted), keys))


def keys_aside() -> set[str]:
    """The keys under which it was stored, of all that is set aside."""
    return {key.removeprefix(_aside("")) for key in stored_keys(copies.REMOVED)}


def open_in_place_or_aside(key: str) -> BinaryIO:
    """The bytes, wherever they are just now. Raises: as `open_stored`."""
    try:
        return open_stored(key)
    except FileNotFoundError:
        return open_stored(_aside(key))


def _set_aside(key: str) -> None:
    there = copies.bucket()
    if there is None:
        source, target = _place_of(key), _place_of(_aside(key))
        make_folders(target.parent)
        if source.exists():
            source.replace(target)
            os.utime(target)
        return
    if there.size_of(key) is not None:
        there.move(key, _aside(key))
    copies.drop([key])


def _aside_before(moment: float) -> Iterator[str]:
    there = copies.bucket()
    if there is not None:
        old = (one.key for one in there.below(_aside("")) if one.modified.timestamp() < moment)
        yield from (key.removeprefix(_aside("")) for key in old)
        return
    root = _place_of(_aside(""))
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_mtime < moment:
            yield path.relative_to(root).as_posix()


def _settle(key: str, *, is_wanted: bool) -> int:
    """How many files are gone for it."""
    is_back = is_wanted and stored_size(key) is None
    there = copies.bucket()
    if there is not None:
        there.move(_aside(key), key) if is_back else there.remove(_aside(key))
    elif is_back:
        make_folders(_place_of(key).parent)
        _place_of(_aside(key)).replace(_place_of(key))
    else:
        _place_of(_aside(key)).unlink()
    return 0 if is_back else 1


def _aside(key: str) -> str:
    return f"{copies.REMOVED}/{key}"


def _place_of(key: str) -> Path:
    return Path(settings.STORAGE_DIR) / key

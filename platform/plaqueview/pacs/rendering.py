"""Frames as pictures: what of which instances is shown, and how, by the parameters of the request."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.imaging.frame_pixels import LINEAR, VOI_FUNCTIONS, Look
from plaqueview.pacs.media_ranges import ACCEPT, CHARSET
from plaqueview.pacs.retrieval import StoredInstance
from plaqueview.studies.pixels import PixelsError, render_frame

logger = logging.getLogger(__name__)

THUMBNAIL_SIZE: Final = (128, 128)
LARGEST_SIDE: Final = 4096
PARAMETERS: Final = ("window", "viewport", "quality")
WORDS: Final = "text/plain; charset=utf-8"

# Of what a picture is made: a stored instance that has rows and columns.
Shown = tuple[StoredInstance, int]
Value = TypeVar("Value")


def look_of(parameters: Mapping[str, str], *, media_type: str, size: tuple[int, int] | None = None) -> Look:
    """How the request wants its pictures. Source: PS3.18 8.3.5.1. Raises: InvalidError for what cannot be done."""
    if unknown := set(parameters) - {*PARAMETERS, ACCEPT, CHARSET}:
        fields = {name: f"need one of {', '.join(PARAMETERS)}" for name in unknown}
        raise InvalidError(f"{', '.join(sorted(unknown))} cannot be rendered", fields=fields)
    look = Look(media_type=media_type, size=size)
    if text := parameters.get("window", ""):
        window, function = _read("window", text, _window)
        look = replace(look, window=window, function=function)
    if text := parameters.get("viewport", ""):
        look = replace(look, size=_read("viewport", text, _viewport))
    if text := parameters.get("quality", ""):
        look = replace(look, quality=_read("quality", text, _quality))
    return look


def shown_frames(instances: Sequence[StoredInstance], numbers: Sequence[int]) -> list[Shown]:
    """These frames of the instances that have pixels, all of them where no number is named.

    Raises: NotFoundError when there is no such frame.
    """
    images = [one for one in instances if one.rows and one.columns]
    for one in images:
        if beyond := [number for number in numbers if not 1 <= number <= one.number_of_frames]:
            raise NotFoundError(f"frame {beyond[0]} of an instance that has {one.number_of_frames}")
    return [(one, number) for one in images for number in numbers or range(1, one.number_of_frames + 1)]


def middle_frame(instances: Sequence[StoredInstance]) -> list[Shown]:
    """The frame in the middle, which shows most of a head; nothing when no instance has pixels."""
    shown = shown_frames(instances, [])
    return shown[len(shown) // 2 :][:1]


def pictures(shown: Sequence[Shown], look: Look) -> Iterator[tuple[str, bytes]]:
    """Media type and content of each picture in its order; where one cannot be made, why not stands in its place.

    So the others are not lost with it, and none is taken for its neighbour.
    """
    for instance, number in shown:
        try:
            yield look.media_type, picture(instance, number, look)
        except InvalidError as error:
            logger.warning("%s: %s", instance.storage_key, error)
            yield WORDS, str(error).encode()


def picture(instance: StoredInstance, number: int, look: Look) -> bytes:
    """Raises: InvalidError when the frame cannot be decoded."""
    try:
        return render_frame(instance, number, look)
    except PixelsError as error:
        raise InvalidError(f"frame {number} cannot be rendered: {error}") from error


def _read(name: str, text: str, parse: Callable[[list[str]], Value]) -> Value:
    try:
        return parse(text.split(","))
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"{name} is {text!r}, {error}", fields={name: str(error)}) from error


def _window(values: list[str]) -> tuple[tuple[float, float], str]:
    if len(values) not in {2, 3}:
        raise ValueError("need center,width[,function]")
    center, width, function = float(values[0]), float(values[1]), values[2] if len(values) == 3 else LINEAR
    if function not in VOI_FUNCTIONS or not (math.isfinite(center) and 0.0 < width < math.inf):
        raise ValueError(f"need a finite center, a positive width and one of {', '.join(VOI_FUNCTIONS)}")
    return (center, width), function


def _viewport(values: list[str]) -> tuple[int, int]:
    """The size alone: a part of the picture is not cut out."""
    if len(values) != 2 or not all(value.isdecimal() and 0 < int(value) <= LARGEST_SIDE for value in values):
        raise ValueError(f"need columns,rows of 1 to {LARGEST_SIDE}")
    return int(values[0]), int(values[1])


def _quality(values: list[str]) -> int:
    if len(values) != 1 or not values[0].isdecimal() or not 1 <= int(values[0]) <= 100:
        raise ValueError("need a whole number of 1 to 100")
    return int(values[0])

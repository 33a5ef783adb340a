"""As which of the media types that can be made a request wants its answer. Source: PS3.18 8.7.8.1; RFC 9110, 12.5.1."""

from functools import lru_cache
from typing import Final, NamedTuple

from plaqueview.pacs.multipart import media_type_of
from plaqueview.pacs.ranges import Asked

# The query parameters. Source: PS3.18 8.3.3.
ACCEPT: Final = "accept"
CHARSET: Final = "charset"
# Source: PS3.18 8.8.
UTF_8: Final = {"utf-8", "iso_ir 192"}
MULTIPART: Final = "multipart/related"
ANYTHING: Final = "*/*"


class Made(NamedTuple):
    """What can be made: parts of the media type, or one without a wrapping.

    `syntaxes` are the transfer syntax parameters that mean it, "" where there is none; None where any does.
    """

    media_type: str
    is_single: bool
    transfer_syntax_uid: str = ""
    syntaxes: frozenset[str] | None = None


class MediaRange(NamedTuple):
    """One element of what is accepted; of a multipart one, the type of its parts."""

    media_type: str
    is_single: bool
    transfer_syntax: str
    quality: float

    @property
    def precision(self) -> int:
        if self.media_type == ANYTHING:
            return 0
        return 1 if self.media_type.endswith("/*") else 2

    def covers(self, made: Made) -> bool:
        if made.syntaxes is not None and self.transfer_syntax not in made.syntaxes:
            return False
        if self.media_type == ANYTHING:
            return self.is_single or not made.is_single
        kind = made.media_type.partition("/")[0]
        return self.is_single == made.is_single and self.media_type in {made.media_type, f"{kind}/*"}


def chosen(request: Asked, made: tuple[Made, ...]) -> Made | None:
    """What is accepted most gladly, of equals what is named first, then what is made first; None where nothing is.

    The query parameter comes before the header, which counts where that names nothing that is made.
    """
    named = request.query_params.get(ACCEPT, "")
    best = _best(named, made) if named else None
    return best or _best(request.headers.get("Accept", "") or ANYTHING, made)


@lru_cache(maxsize=256)
def _best(accepted: str, made: tuple[Made, ...]) -> Made | None:
    """A viewer sends the same with each of hundreds of requests."""
    ranges = [found for element in accepted.split(",") if (found := _range(element.strip()))]

    def weight(one: Made) -> tuple[float, int]:
        """By the most precise range: one that refuses a type does so whatever a wildcard says."""
        covering = [(found.precision, -place, found.quality) for place, found in enumerate(ranges) if found.covers(one)]
        _precision, place, quality = max(covering, default=(0, 0, 0.0))
        return quality, place

    best = max(made, key=weight)
    return best if weight(best)[0] > 0.0 else None


def _range(element: str) -> MediaRange | None:
    """None for an element that is empty, or whose weight is none."""
    media_type, parameters = media_type_of(element)
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        return None
    if not media_type or not 0.0 <= quality <= 1.0:
        return None
    is_single = media_type != MULTIPART
    inner = media_type if is_single else parameters.get("type", "").lower() or ANYTHING
    return MediaRange(inner, is_single, parameters.get("transfer-syntax", ""), quality)


def is_utf_8_accepted(request: Asked) -> bool:
    """By the query parameter, which has no wildcards; without it any character set is. Source: PS3.18 8.3.3.2."""
    named = request.query_params.get(CHARSET, "")
    ranges = [found for element in named.split(",") if (found := _range(element.strip()))]
    return not named or any(found.media_type.strip('"') in UTF_8 and found.quality > 0.0 for found in ranges)

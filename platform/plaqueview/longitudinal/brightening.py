"""What became brighter between two FLAIRs, kept beside their registration, since only a worker holds both volumes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plaqueview.imaging.brightened_spots import Spot, spot_from


@dataclass(frozen=True)
class Brightening:
    """The spots on a grid of this shape by this rule; `note` says why none could be looked for, or is empty."""

    shape: tuple[int, ...]
    rule: str
    spots: tuple[Spot, ...]
    note: str = ""

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return asdict(self)


def brightening_from(stored: Mapping[str, Any]) -> Brightening:  # Any: JSON
    spots = tuple(map(spot_from, stored["spots"]))
    return Brightening(tuple(stored["shape"]), stored["rule"], spots, stored["note"])

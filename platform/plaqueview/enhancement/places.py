"""What enhances between two T1s as it is kept, since only a worker holds the volumes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plaqueview.imaging.brightened_spots import spot_from
from plaqueview.imaging.enhancement import EnhancementRule, EnhancingPlace


@dataclass(frozen=True)
class EnhancingPlaces:
    """The places on a grid of this shape, found by this version of the algorithm under this rule."""

    shape: tuple[int, ...]
    algorithm: int
    rule: EnhancementRule
    places: tuple[EnhancingPlace, ...]

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return asdict(self)


def places_from(stored: Mapping[str, Any]) -> EnhancingPlaces:  # Any: JSON
    places = tuple(EnhancingPlace(spot_from(one["spot"]), one["peak_deviations"]) for one in stored["places"])
    return EnhancingPlaces(tuple(stored["shape"]), stored["algorithm"], EnhancementRule(**stored["rule"]), places)

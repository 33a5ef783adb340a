"""The numbers by which brain is told from the rest of the head.

Grey values are shares of the brain's level, lengths are mm. Every number belongs to a preprocessing version: changing
one makes a new version.
"""

from __future__ import annotations

from dataclasses import dataclass

BRAIN_LEVEL = 100.0  # grey value that the 8-bit rule gives to brain tissue


@dataclass(frozen=True)
class Direction:
    """How the brain is followed one way from the first slice.

    `growth` is in mm sideways for each mm between slices, `overlap` the share of a component that must lie under the
    slice before, `depth_share` the least depth in the head as a share of that of the first slice's border.
    """

    step: int
    growth: float
    overlap: float
    opening_mm: float
    closing_mm: float
    depth_share: float


@dataclass(frozen=True)
class SkullRemoval:
    """What the mask of the brain is made with.

    Towards the head the outline is convex, gyri are narrow and the skull hardly darker than the scalp. Towards the feet
    the temporal lobes part from the rest, and muscles as grey as brain lie beside it.
    """

    towards_head: Direction = Direction(
        step=1, growth=0.1, overlap=0.6, opening_mm=2.0, closing_mm=18.0, depth_share=1.0
    )
    towards_feet: Direction = Direction(
        step=-1, growth=0.6, overlap=0.5, opening_mm=3.5, closing_mm=8.0, depth_share=0.8
    )

    lowest_tissue: float = 0.60
    highest_tissue: float = 1.70  # orbital and subcutaneous fat is brighter
    lowest_component: float = 0.75  # mean of a component; muscle is darker
    lowest_level: float = 0.85  # the brain's level on a slice, against that of the volume
    highest_level: float = 1.25

    first_opening_mm: float = 3.5
    first_closing_mm: float = 18.0
    regrowth_mm: float = 1.5
    rim_mm: float = 1.2

    smallest_component_mm2: float = 40.0
    small_component_mm2: float = 250.0
    largest_variation: float = 0.17  # deviation over mean of a small component below; muscle is streaked with fat
    last_area_mm2: float = 1500.0  # a slice below the brain's last one shows less than this,
    last_area_share: float = 0.25  # and less than this share of the slice before

    certain_brain: float = 2.0  # mm inside the slice below, for each mm between slices: brain, not scalp
    certain_brain_grey: float = 0.8
    scalp_mm: float = 4.0  # depth in the head that is scalp, not brain
    scalp_levels: tuple[float, ...] = (1.1, 1.0, 0.9, 0.8, 0.7, 0.6)

    extracted_closing_mm: float = 8.0
    extracted_rim_share: float = 0.6  # of the rim under the border that is brain grey when there is no scalp
    extracted_dark_share: float = 0.3  # of a band under it that is dark when there is no skull
    extracted_zero_share: float = 0.9  # of the outside that is zero when it was cut away

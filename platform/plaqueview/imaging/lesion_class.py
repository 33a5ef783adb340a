"""The classes of a lesion, and how a label volume writes them; without what measures it, which is slow to load."""

from collections.abc import Mapping
from enum import StrEnum


class LesionClass(StrEnum):
    INACTIVE = "inactive"
    ACTIVE = "active"


LABEL_OF_CLASS: Mapping[LesionClass, int] = {LesionClass.INACTIVE: 1, LesionClass.ACTIVE: 2}  # 0 is background

"""What changed between two FLAIRs of one head, found as the product does, and by what became brighter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference_worker.prediction import Segmenter
from plaqueview.imaging.brightening import BrighteningRule, find_brightened
from plaqueview.imaging.longitudinal import ChangeRule, Comparison, LesionChange, compare_lesions
from plaqueview.imaging.registration import RigidRegistration, register_rigidly
from plaqueview.imaging.volume import Volume

Mask = NDArray[np.bool_]

ACTIVE_CHANGES = (LesionChange.NEW, LesionChange.ENLARGING)

# Values of a truth on the current grid.
GREW, SHRANK, UNCLEAR = 1, 2, 3


class ChangeTruthError(ValueError):
    """The expert's changes do not belong to the current visit."""


@dataclass(frozen=True, eq=False)
class FoundChanges:
    """`grown` are the voxels of lesions that are new or enlarging by the masks, `brightened` those that became brighter
    by the images; both (slices, rows, columns) bool on the current grid.
    """

    registration: RigidRegistration
    comparison: Comparison
    grown: Mask
    brightened: Mask


@dataclass(frozen=True)
class ChangeScore:
    """Found of the expert's new and enlarging lesions, and right of what was found."""

    expert_lesions: int
    expert_lesions_found: int
    findings: int
    findings_right: int

    def figures(self) -> dict[str, int | float | None]:
        """As JSON; a share of nothing is None."""
        return {
            "expert_lesions": self.expert_lesions,
            "expert_lesions_found": self.expert_lesions_found,
            "sensitivity": _share(self.expert_lesions_found, self.expert_lesions),
            "findings": self.findings,
            "findings_right": self.findings_right,
            "precision": _share(self.findings_right, self.findings),
        }


def find_changes(current: Volume, prior: Volume, *, segmenter: Segmenter) -> FoundChanges:
    """New and enlarging lesions of the current visit, by both ways.

    Raises: PreprocessingError, RegistrationError and IntensityError when the volumes rule it out.
    """
    here, there = segmenter.segment(current), segmenter.segment(prior)
    movement = register_rigidly(current, prior, fixed_brain=here.brain_mask, moving_brain=there.brain_mask)
    comparison = compare_lesions(
        current.with_voxels(here.lesions.lesion_numbers),
        prior.with_voxels(there.lesions.lesion_numbers),
        movement.matrix,
        rule=ChangeRule(),
    )
    active = [number for one in comparison.changes if one.change in ACTIVE_CHANGES for number in one.lesions]
    brightened = find_brightened(current, prior, movement.matrix, here.brain_mask, rule=BrighteningRule())
    return FoundChanges(movement, comparison, np.isin(here.lesions.lesion_numbers, active), brightened)


def check_truth(truth: Volume, current: Volume) -> None:
    """Raises: ChangeTruthError when the truth lies on another grid than the current visit, or holds other values."""
    if not truth.lies_on(current):
        raise ChangeTruthError(f"truth has shape {truth.shape} or another place, need the grid {current.shape}")
    if not np.isin(truth.voxels, (0, GREW, SHRANK, UNCLEAR)).all():
        raise ChangeTruthError(f"truth holds {truth.voxels.min()} to {truth.voxels.max()}, need 0, 1, 2 and 3")


def scores(found: FoundChanges, truth: Volume, *, minimum_volume_mm3: float) -> Mapping[str, ChangeScore]:
    """By way: the lesions of the masks, what became brighter, and either.

    The truth holds 1 where an expert saw a lesion that is new or enlarging, 2 where one shrinks, 3 where its direction
    is open.
    """
    ways = {
        "lesions_compared": found.grown,
        "brightened": found.brightened,
        "either": found.grown | found.brightened,
    }
    return {name: score(mask, truth, minimum_volume_mm3=minimum_volume_mm3) for name, mask in ways.items()}


def score(mask: Mask, truth: Volume, *, minimum_volume_mm3: float) -> ChangeScore:
    """26-connected components on both sides.

    An expert's lesion counts from the minimum volume on, and is found when one finding shares a tenth of the smaller of
    the two with it. A finding is right when it shares a voxel with a change that the expert does not call shrinking.
    """
    lesions, lesion_sizes = _components(truth.voxels == GREW)
    findings, finding_sizes = _components(mask)
    least = minimum_volume_mm3 / (truth.voxel_volume_ml * 1000.0) * (1.0 - 1e-9)
    shared = np.zeros((len(lesion_sizes), len(finding_sizes)))
    np.add.at(shared, (lesions.ravel(), findings.ravel()), 1)
    needed = 0.1 * np.minimum(lesion_sizes[1:, None], finding_sizes[None, 1:])
    is_found = (shared[1:, 1:] >= np.maximum(needed, 1)).any(axis=1)
    counted = lesion_sizes[1:] >= least
    right = np.unique(findings[np.isin(truth.voxels, (GREW, UNCLEAR))])
    return ChangeScore(
        expert_lesions=int(counted.sum()),
        expert_lesions_found=int((is_found & counted).sum()),
        findings=len(finding_sizes) - 1,
        findings_right=int((right > 0).sum()),
    )


def _components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    numbers, count = ndimage.label(mask, np.ones((3, 3, 3)))
    return numbers.astype(np.int32), np.bincount(numbers.ravel(), minlength=count + 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None

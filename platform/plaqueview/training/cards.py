"""The card of a model that was trained here: Markdown for a person, from the same facts that programs read."""

from collections.abc import Mapping, Sequence
from typing import Any

from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.training.groups import GROUP_RULE, SMALLEST_GROUP, GroupFigure
from plaqueview.training.models import Side

CLAIM = (
    "**Research use only, not a medical device.** Trained on this department's own approved annotations and judged on "
    "patients of the same department; how it does elsewhere is not known."
)


def caveat_of(counts: Mapping[str, Any]) -> str:  # Any: JSON
    """The sentence beside every result of the model."""
    classes = counts[Side.TRAIN.value]["classes"]
    active, inactive = classes.get("active", 0), classes.get("inactive", 0)
    return (
        f"Trained in this department; its classes rest on {active} active and {inactive} inactive lesions with "
        "evidence and are not validated."
    )


def card_of(title: str, facts: Mapping[str, Any], groups: Sequence[GroupFigure]) -> str:  # Any: JSON
    """What it was made of, and how it did."""
    counts, recipe, test = facts["snapshot"]["counts"], facts["recipe"], facts["metrics"]
    parity = facts["parity"]["largest_probability_difference"]
    sides = "\n".join(
        f"| {side} | {counts[side]['patients']} | {counts[side]['studies']} | {counts[side]['slices']} "
        f"| {counts[side]['lesions']} | {_words(counts[side]['classes'])} | {_words(counts[side]['sources'])} |"
        for side in Side.values
    )
    rows = "\n".join(
        f"| {one.group} | {one.figure} | {one.patients} | {one.candidate} | {one.champion} |" for one in groups
    )
    return f"""# {title}

{CLAIM}

| | |
|---|---|
| network | {facts["network"]["name"]}, preprocessing version {facts["preprocessing_version"]} |
| start | {facts["start"]} |
| recipe | {_words(recipe)} |
| best validation | mean any-plaque Dice {facts["best_dice"]:.3f} at step {facts["best_step"]} |
| snapshot | SHA-256 `{facts["snapshot"]["sha256"]}` |
| software | PlaqueView {facts["code_version"]} |
| parity | ONNX against PyTorch: largest difference of a probability {parity:.1e} |

## What it learned from

| side | patients | studies | slices | lesions | classes | source of the class |
|---|---|---|---|---|---|---|
{sides}

## On the test side

Any plaque, mean over patients, through the path that a patient's study takes; lesions are 26-connected components,
found when one voxel overlaps.

| | Dice | lesion F1 |
|---|---|---|
| this model | {test["dice"]:.3f} | {test["lesion_f1"]:.3f} |
| champion of the day, {facts["champion"]} | {test["champion_dice"]:.3f} | {test["champion_lesion_f1"]:.3f} |

By group: {GROUP_RULE}. Of groups of fewer than {SMALLEST_GROUP} patients nothing is said. Sizes {SIZE_RULE}.

| group | figure | patients | this model | champion of the day |
|---|---|---|---|---|
{rows}
"""


def _words(values: Mapping[str, Any]) -> str:  # Any: JSON
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items()) or "none"

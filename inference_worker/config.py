"""What decides how a network is built, trained and run; stored with the weights as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

CLASS_NAMES = ("background", "inactive", "active")
SLICE_SIZE = 256
ACTIVATIONS = ("relu6", "silu")  # of an EfficientNet encoder

Config = TypeVar("Config")


class ConfigError(ValueError):
    """A setting that no configuration has, or of another type."""


@dataclass(frozen=True)
class NetworkConfig:
    """`activation` and `stochastic_depth` are those of an EfficientNet encoder; other encoders have their own.

    "silu" is EfficientNet's own activation, "relu6" the one that Lite0 was trained with. `zoom` is how much a slice is
    enlarged before the network sees it (`networks.zoom`); 1 is the paper's.
    """

    name: str = "deeplabv3plus_se_efficientnet_b0"
    activation: str = "relu6"
    stochastic_depth: float = 0.25
    class_count: int = len(CLASS_NAMES)
    zoom: float = 1.0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms that `losses.PlaqueLoss` adds up; `distillation` is of what teachers say."""

    any_plaque_dice: float = 1.0
    class_dice: float = 0.5
    cross_entropy: float = 1.0
    class_cross_entropy: float = 0.5
    distillation: float = 0.0


@dataclass(frozen=True)
class AugmentationConfig:
    """Ranges of the random changes of a training slice; a probability is that of one change on one slice.

    Thin slices are averaged to slabs of up to `thickest_slice_mm`. `plaque_contrast` is how many times plaques differ
    from the tissue around them as much as they did.
    """

    rotation_degrees: float = 20.0
    scale: tuple[float, float] = (0.75, 1.3)
    shear: float = 0.08
    stretch: float = 0.1
    mirror: float = 0.5
    shift: float = 0.08
    gamma: tuple[float, float] = (0.6, 1.6)
    contrast: tuple[float, float] = (0.75, 1.3)
    brightness: float = 0.08
    bias_field: float = 0.3
    noise: float = 0.05
    blur_sigma: tuple[float, float] = (0.4, 1.2)
    lowest_resolution: float = 0.5
    thickest_slice_mm: float = 6.0
    plaque_contrast: tuple[float, float] = (1.0, 1.0)
    probability: float = 0.4


@dataclass(frozen=True)
class TrainingConfig:
    """How a run goes.

    `plaque_share` is that of slices with plaques; a batch has one of the `crop_sizes`, which divide by 16 and hold a
    brain; `average_decay` is that of the averaged weights; `patience` counts validations without a better one, 0 waits
    for the last step. The schedule is "cosine" (down to zero) or "constant", both after the warm-up.
    """

    steps: int = 1000
    batch_size: int = 8
    crop_sizes: tuple[int, ...] = (192, 192, 256)
    optimiser: str = "adamw"
    schedule: str = "cosine"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up_steps: int = 50
    gradient_clip: float = 1.0
    average_decay: float = 0.99
    plaque_share: float = 0.7
    validate_every: int = 100
    patience: int = 0
    seed: int = 0
    precision: str = "float32"
    loss: LossConfig = field(default_factory=LossConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


RECIPES: Mapping[str, TrainingConfig] = {
    "plaqueview": TrainingConfig(),
    # What the source paper states: Dice loss and Adam, no augmentation; plaques without class count as any plaque.
    "paper": TrainingConfig(
        optimiser="adam",
        schedule="constant",
        weight_decay=0.0,
        crop_sizes=(SLICE_SIZE,),
        average_decay=0.0,
        loss=LossConfig(any_plaque_dice=1.0, class_dice=1.0, cross_entropy=0.0, class_cross_entropy=0.0),
        augmentation=AugmentationConfig(
            rotation_degrees=0.0,
            scale=(1.0, 1.0),
            shear=0.0,
            shift=0.0,
            stretch=0.0,
            mirror=0.0,
            thickest_slice_mm=0.0,
            probability=0.0,
        ),
    ),
}


def with_settings(config: Config, settings: Iterable[str]) -> Config:
    """The configuration with other values: each setting is `name=value` or `part.name=value`, the value in JSON.

    Raises: ConfigError when there is no such name, or the value has another type than the one it replaces.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"setting {setting!r} has no value, need NAME=VALUE")
        config = _with(config, name.split("."), text)
    return config


def _with(config: Config, path: list[str], text: str) -> Config:
    part: Any = config  # Any: a dataclass of whatever kind
    known = [each.name for each in fields(part)]
    if path[0] not in known:
        raise ConfigError(f"setting {path[0]!r} is unknown, need one of {known}")
    old = getattr(part, path[0])
    if is_dataclass(old) != (len(path) > 1):
        raise ConfigError(f"setting {'.'.join(path)!r} names no single value")
    changed: Config = replace(part, **{path[0]: _with(old, path[1:], text) if len(path) > 1 else _value(old, text)})
    return changed


def _value(old: object, text: str) -> object:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(old, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(old):
        raise ConfigError(f"value {text!r} is no {type(old).__name__}, need one as {old!r}")
    return value

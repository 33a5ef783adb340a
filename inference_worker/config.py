"""What decides how a network is built, trained and run; stored with the weights as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

CLASS_NAMES = ("background", "inactive", "active")
SLICE_SIZE = 256
ACTIVATIONS = ("relu6", "silu")  # of the encoder


@dataclass(frozen=True)
class NetworkConfig:
    """`activation` is the encoder's: "silu" as EfficientNet-B0 has it, "relu6" as Lite0 was trained with."""

    name: str = "deeplabv3plus_se_efficientnet_b0"
    activation: str = "relu6"
    stochastic_depth: float = 0.25
    class_count: int = len(CLASS_NAMES)


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms that `losses.PlaqueLoss` adds up."""

    any_plaque_dice: float = 1.0
    class_dice: float = 0.5
    cross_entropy: float = 1.0
    class_cross_entropy: float = 0.5


@dataclass(frozen=True)
class AugmentationConfig:
    """Ranges of the random changes of a training slice; a probability is that of one change on one slice."""

    rotation_degrees: float = 20.0
    scale: tuple[float, float] = (0.75, 1.3)
    shear: float = 0.08
    shift: float = 0.08
    gamma: tuple[float, float] = (0.6, 1.6)
    contrast: tuple[float, float] = (0.75, 1.3)
    brightness: float = 0.08
    bias_field: float = 0.3
    noise: float = 0.05
    blur_sigma: tuple[float, float] = (0.4, 1.2)
    lowest_resolution: float = 0.5
    probability: float = 0.4


@dataclass(frozen=True)
class TrainingConfig:
    """How a run goes.

    `plaque_share` is that of slices with plaques; a batch has one of the `crop_sizes`, which divide by 16 and hold a
    brain; `average_decay` is that of the averaged weights; `patience` counts validations without a better one, 0 waits
    for the last step.
    """

    steps: int = 1000
    batch_size: int = 8
    crop_sizes: tuple[int, ...] = (192, 192, 256)
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

"""Losses that also learn from plaques whose class is unknown.

A label leaves one or more classes open (`labels.POSSIBLE_CLASSES`). The probability that a loss compares with it is
the sum over the open classes: for a plaque of unknown class P(inactive) + P(active), the marginal of Fidon et al.,
"Label-set loss functions for partial supervision", MICCAI 2021.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from inference_worker.config import LossConfig
from inference_worker.labels import ACTIVE, BACKGROUND, INACTIVE, POSSIBLE_CLASSES, UNKNOWN_PLAQUE

SMOOTHING = 1.0  # voxels; makes the Dice of two empty masks one and keeps its gradient finite


def dice_loss(probability: torch.Tensor, truth: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """One minus the Dice coefficient, pooled over all voxels of the batch; in 0..1.

    `probability` in 0..1, `truth` 0 or 1 and `counted` 0 or 1 are (n, rows, columns) float32; voxels that are not
    counted weigh nothing. With no truth and no prediction the loss is zero.
    """
    overlap = (probability * truth * counted).sum()
    total = ((probability + truth) * counted).sum()
    return 1.0 - (2.0 * overlap + SMOOTHING) / (total + SMOOTHING)


def open_classes(class_count: int) -> torch.Tensor:
    """(labels, classes) float32: 0 where the label leaves the class open, minus infinity elsewhere."""
    table = torch.full((len(POSSIBLE_CLASSES), class_count), float("-inf"))
    for label, classes in POSSIBLE_CLASSES.items():
        table[label, list(classes)] = 0.0
    return table


def marginal_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over voxels of -log of the summed probability of the classes that the label leaves open.

    `logits` is (n, classes, rows, columns), `labels` (n, rows, columns) int64 of `labels.POSSIBLE_CLASSES`. Where every
    label names one class this is the ordinary cross-entropy.
    """
    log_probabilities = functional.log_softmax(logits, dim=1)
    allowed = open_classes(logits.shape[1]).to(logits)[labels].permute(0, 3, 1, 2)
    return -torch.logsumexp(log_probabilities + allowed, dim=1).mean()


def class_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of inactive against active alone, mean over the voxels of each class, then over the classes there.

    Zero where no plaque has a class. Without this term a network that also learns from plaques of unknown class forgets
    the rarer class: their gradient goes to the class that is already the more probable, and what plaques with a class
    add to a mean over all voxels is too little to turn it round (measured: P(active) of 1e-6 on active plaques).
    """
    pair = functional.log_softmax(logits[:, [INACTIVE, ACTIVE]], dim=1)
    losses = [-pair[:, index][labels == label] for index, label in enumerate((INACTIVE, ACTIVE))]
    present = [loss.mean() for loss in losses if loss.numel()]
    return torch.stack(present).mean() if present else pair.sum() * 0.0


def distillation(logits: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    """Mean over voxels of the cross-entropy against the teachers' probabilities, both (n, classes, rows, columns).

    Source: Hinton et al., "Distilling the knowledge in a neural network", 2015, at a temperature of one.
    """
    return -(taught * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()


class PlaqueLoss(nn.Module):
    """The weighted sum of Dice of any plaque, Dice and cross-entropy of the classes, and marginal cross-entropy.

    Voxels of plaques without a class do not count in the terms of the classes. Where teachers gave probabilities, the
    cross-entropy against them is added.
    """

    def __init__(self, config: LossConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, logits: torch.Tensor, labels: torch.Tensor, taught: torch.Tensor | None = None) -> torch.Tensor:
        """Scalar loss of (n, classes, rows, columns) logits against (n, rows, columns) int64 labels.

        `taught` are the teachers' probabilities, in the shape of the logits.
        """
        probabilities = logits.softmax(dim=1)
        loss = (
            self.config.any_plaque_dice * self.any_plaque_dice(probabilities, labels)
            + self.config.class_dice * self.class_dice(probabilities, labels)
            + self.config.cross_entropy * marginal_cross_entropy(logits, labels)
            + self.config.class_cross_entropy * class_cross_entropy(logits, labels)
        )
        return loss if taught is None else loss + self.config.distillation * distillation(logits, taught)

    def any_plaque_dice(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        truth = (labels != BACKGROUND).to(probabilities)
        return dice_loss(1.0 - probabilities[:, BACKGROUND], truth, torch.ones_like(truth))

    def class_dice(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        counted = (labels != UNKNOWN_PLAQUE).to(probabilities)
        losses = [
            dice_loss(probabilities[:, label], (labels == label).to(probabilities), counted)
            for label in (INACTIVE, ACTIVE)
        ]
        return torch.stack(losses).mean()

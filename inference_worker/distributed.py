"""Several processes that train one network as one process with the whole batch would, started by `torchrun`.

Each process learns from its share of a batch. The loss is that of the whole batch, since a Dice pooled over voxels is
no mean of shares: the logits of all processes are gathered, and every process computes the same loss. Batch
normalisation takes the moments of the whole batch, too. Every collective's backward pass sums over the processes, each
of which holds a copy of one loss; DistributedDataParallel's mean over the processes then leaves the gradient of that
loss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.distributed.nn import functional as collective
from torch.nn.parallel import DistributedDataParallel

from inference_worker.run_state import TrainingError
from inference_worker.torchvision_import import BatchNormAct2d

BACKENDS = {"cpu": "gloo", "cuda": "nccl"}


@dataclass(frozen=True)
class Group:
    """The processes of a run, which of them this one is, and where it computes."""

    device: str = "cpu"
    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes what a run leaves behind."""
        return self.rank == 0

    def share_of(self, batch_size: int) -> range:
        """The places of the batch that this process draws.

        Raises: TrainingError when the processes cannot share the batch evenly.
        """
        if batch_size % self.size:
            raise TrainingError(f"batch of {batch_size} slices does not divide by {self.size} processes")
        return range(self.rank, batch_size, self.size)

    def spread(self, network: nn.Module) -> nn.Module:
        """What is trained: the network itself, or its copy that learns together with those of the other processes."""
        if self.size == 1:
            return network
        share_moments(network)
        return DistributedDataParallel(network, device_ids=None if self.device == "cpu" else [self.device])

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensors of all processes, one after the other; their gradients find the way back."""
        return tensor if self.size == 1 else torch.cat(collective.all_gather(tensor))  # type: ignore[no-untyped-call]  # torch leaves it untyped


ALONE = Group()


@contextmanager
def process_group(device: str) -> Iterator[Group]:
    """The group that `torchrun` started this process in, each process with a GPU of its own; alone without it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Group(device)
        return
    own = f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device
    if device == "cuda":
        torch.cuda.set_device(own)
    distributed.init_process_group(BACKENDS[device])
    try:
        yield Group(own, distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def share_moments(network: nn.Module) -> None:
    """Every batch normalisation takes the moments of the batches of all processes; its weights stay."""
    for module in network.modules():
        if type(module) in SHARED_KINDS:
            module.__class__ = SHARED_KINDS[type(module)]


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the moments of the batches of all processes.

    torch's SyncBatchNorm knows only GPUs, and runs are tested on CPUs: one layer serves both.
    """

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Takes and gives (n, channels, rows, columns)."""
        return normalise(self, features) if self.training else nn.BatchNorm2d.forward(self, features)


class SharedBatchNormAct2d(BatchNormAct2d):
    """The same for timm's layer, which holds its activation."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Takes and gives (n, channels, rows, columns)."""
        if not self.training:
            return BatchNormAct2d.forward(self, features)  # type: ignore[no-any-return, no-untyped-call]  # timm leaves it untyped
        activated: torch.Tensor = self.act(self.drop(normalise(self, features)))
        return activated


SHARED_KINDS: Mapping[type, type] = {nn.BatchNorm2d: SharedBatchNorm2d, BatchNormAct2d: SharedBatchNormAct2d}


def normalise(layer: nn.BatchNorm2d, features: torch.Tensor) -> torch.Tensor:
    """The features by the moments of all processes, which the layer remembers as torch's own does."""
    exact = features.float()
    count = exact.numel() / exact.shape[1] * distributed.get_world_size()
    sums = torch.stack([exact.sum(dim=(0, 2, 3)), exact.square().sum(dim=(0, 2, 3))])
    mean, square = collective.all_reduce(sums) / count  # type: ignore[no-untyped-call]  # torch leaves it untyped
    scale, shift = affine_of(layer, mean, square - mean.square(), count)
    return (exact * scale[:, None, None] + shift[:, None, None]).to(features.dtype)


def affine_of(
    layer: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor, count: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The factor and the offset of every channel; the layer remembers the moments, the variance unbiased."""
    remember(layer, mean.detach(), variance.detach() * count / (count - 1))
    scale = layer.weight * torch.rsqrt(variance + layer.eps)
    return scale, layer.bias - mean * scale


@torch.no_grad()
def remember(layer: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor) -> None:
    """Moves the running moments of a layer towards these."""
    if layer.momentum is None or layer.running_mean is None or layer.running_var is None:
        raise TrainingError("a batch normalisation without running moments cannot be shared, need one with a momentum")
    layer.running_mean.lerp_(mean, layer.momentum)
    layer.running_var.lerp_(variance, layer.momentum)
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked.add_(1)

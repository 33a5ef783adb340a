"""A short run of a batch of four that as many processes share as `torchrun` starts; the first writes its losses."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from inference_worker.batches import Source
from inference_worker.config import NetworkConfig, TrainingConfig
from inference_worker.dataset import LabelledStudy
from inference_worker.distributed import process_group
from inference_worker.networks import build_network
from inference_worker.training import Run

# Stochastic depth is drawn by each process for its own slices, so it differs from that of one process.
NETWORK = NetworkConfig(stochastic_depth=0.0)
CONFIG = replace(TrainingConfig(), steps=3, batch_size=4, crop_sizes=(64,), warm_up_steps=1, validate_every=3)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    grey = np.random.default_rng(0).integers(0, 255, (3, 256, 256)).astype(np.uint8)
    study = LabelledStudy("anna", "anna", grey, (grey > 200).astype(np.uint8), 7.0)
    folder.mkdir(exist_ok=True)
    with process_group("cpu") as group:
        torch.manual_seed(0)
        run = Run(build_network(NETWORK), CONFIG, [Source("one", 1.0, (study,))], [], folder=folder, group=group)
        seen: list[float] = []
        run.train(lambda progress: seen.append(progress.loss))
        weights = torch.cat([tensor.flatten() for tensor in run.averaged_network.state_dict().values()])
        if group.is_first:
            (folder / "seen.json").write_text(json.dumps({"losses": seen, "weights": weights.double().sum().item()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

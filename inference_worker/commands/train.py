"""Trains a network on folders of labelled studies."""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from inference_worker.argument_types import not_negative, positive
from inference_worker.batches import Source
from inference_worker.checkpoint import CheckpointError, WeightsIdentity, file_sha256, load_weights, save_weights
from inference_worker.config import ACTIVATIONS, RECIPES, ConfigError, NetworkConfig, TrainingConfig, with_settings
from inference_worker.dataset import (
    DatasetError,
    LabelledStudy,
    find_studies,
    load_studies,
    named,
    patient_folds,
    split_by_patient,
)
from inference_worker.distributed import Group, process_group
from inference_worker.held_out import HELD_OUT_NAME, write_held_out
from inference_worker.labels import LabelError
from inference_worker.networks import NetworkNameError, build_network, check_network_name, encoder_of, network_names
from inference_worker.networks.zoom import zoomed
from inference_worker.preprocessing import WITH_SCALP, Preprocessing, PreprocessingError
from inference_worker.pretrained import PretrainedWeightsError, imagenet_state
from inference_worker.reading_rule import RULE_OF_RECIPE
from inference_worker.run_log import RunLog
from inference_worker.run_start import alone_in, check_start, keep_start
from inference_worker.run_state import TrainingError
from inference_worker.training import PRECISIONS, Run, read_classes
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.png_pairs import PngPairsError

REFUSALS = (
    CheckpointError,
    ConfigError,
    DatasetError,
    LabelError,
    NetworkNameError,
    NiftiError,
    PngPairsError,
    PreprocessingError,
    PretrainedWeightsError,
    TrainingError,
)
WEIGHTS_NAME = "weights.safetensors"
LARGEST_ZOOM = 4.0
# What weights to start from decide, and the values that leave it to them.
LEFT_TO_INITIAL = {"network": None, "activation": None, "imagenet": "none"}
# Options that change one value of the recipe, when they are given.
RECIPE_OPTIONS = (
    "steps", "batch_size", "learning_rate", "average_decay", "validate_every", "patience", "precision", "seed"
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_arguments(parser)
    add_network_arguments(parser)
    add_recipe_arguments(parser)
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; a run that was stopped goes on")
    parser.add_argument("--version", default="0", help="version that the weights will carry")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=positive, default=1)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="FOLDER[:SHARE]",
        help="folder of studies, each with flair.nii.gz and labels.nii.gz (0/1/2 or 0/127/255) or lesion.nii.gz "
        "(plaques without class), or PNG pairs with spacing_mm.json; SHARE is its share of the drawn slices "
        "(default 1); may be given again",
    )
    parser.add_argument("--hold-out", default="", metavar="PATIENTS", help="patients to validate on, commas between")
    parser.add_argument(
        "--folds", type=int, default=0, metavar="N", help="split the patients of the first folder into N folds"
    )
    parser.add_argument(
        "--fold", type=not_negative, metavar="I", help="the fold to hold out, from 0 (default with --folds: 0)"
    )
    parser.add_argument("--cache", type=Path, help="folder of preprocessed studies (default: RUN/cache)")
    parser.add_argument(
        "--with-scalp", action="store_true", help="leave the skull in, to measure what its removal does"
    )


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--network",
        type=network_name,
        metavar="NAME",
        help=f"one of {', '.join(network_names())}, or smp_DECODER_tu-ENCODER with any encoder of timm "
        f"(default: {NetworkConfig().name})",
    )
    parser.add_argument(
        "--activation",
        choices=ACTIVATIONS,
        help=f"of an EfficientNet encoder (default: {NetworkConfig().activation})",
    )
    parser.add_argument(
        "--imagenet",
        default="none",
        metavar="SOURCE",
        help="the encoder's start: 'timm' (downloads), 'lite0' or 'lite2' (PyPI packages for EfficientNet-B0 and B2), "
        "a file, or 'none' (default)",
    )
    parser.add_argument(
        "--zoom",
        type=zoom,
        metavar="TIMES",
        help="how much slices are enlarged before the network sees them (default: as in --initial, 1 without it)",
    )
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="weights of an earlier run to start from, which say of what network and activation they are",
    )
    parser.add_argument(
        "--teacher",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="weights of a network whose answer is learned beside the labels, by --set loss.distillation=WEIGHT; "
        "of several, given again, their mean",
    )


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="plaqueview", help="what the options below change")
    parser.add_argument("--steps", type=not_negative)
    parser.add_argument("--batch-size", type=positive)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--average-decay", type=float, help="of the averaged weights")
    parser.add_argument("--validate-every", type=positive, metavar="STEPS")
    parser.add_argument("--patience", type=not_negative, help="validations without gain; 0: no limit")
    parser.add_argument("--precision", choices=sorted(PRECISIONS))
    parser.add_argument("--seed", type=not_negative)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other value of the recipe, such as loss.cross_entropy=0; may be given again",
    )


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    require_device(arguments.device)
    with process_group(arguments.device) as group, alone_in(arguments.run) if group.is_first else nullcontext():
        train(arguments, group)


def train(arguments: argparse.Namespace, group: Group) -> None:
    """A whole run; of several processes the first one writes what it leaves behind."""
    config = training_config(arguments)
    teachers = teachers_of(arguments, config)
    sources, validation = load_sources(arguments)
    torch.manual_seed(config.seed)
    network, network_config = starting_network(arguments)
    start = start_of(arguments, config, network_config, sources, validation)
    check_start(arguments.run, start)
    training = Run(network, config, sources, validation, folder=arguments.run, group=group)
    reading = RULE_OF_RECIPE[arguments.recipe]
    training.plaque_threshold = reading.plaque_threshold
    training.learn_from(teachers)
    if not group.is_first:
        training.train(lambda _: None)
        return
    keep_start(arguments.run, start)
    with RunLog(arguments.run) as log:
        training.train(log.tell)
    preprocessing = preprocessing_of(arguments)
    identity = WeightsIdentity(network_config.name, arguments.version, preprocessing.version, network_config, reading)
    save_weights(arguments.run / WEIGHTS_NAME, training.averaged_network, identity)
    if validation:
        found = {study.name: read_classes(training.averaged_network, study, reading) for study in validation}
        write_held_out(arguments.run / HELD_OUT_NAME, found, version=preprocessing.version, reading=reading)


def start_of(
    arguments: argparse.Namespace,
    config: TrainingConfig,
    network: NetworkConfig,
    sources: Sequence[Source],
    validation: Sequence[LabelledStudy],
) -> dict[str, Any]:  # Any: JSON
    """All that decides what a run learns: it may go on where its folder lies elsewhere, not with anything else."""
    return {
        **asdict(config),
        "recipe": arguments.recipe,
        "network": asdict(network),
        "imagenet": arguments.imagenet,
        "initial_sha256": arguments.initial and file_sha256(arguments.initial),
        "teachers_sha256": [file_sha256(path) for path in arguments.teacher],
        "preprocessing": preprocessing_of(arguments).version,
        "held_out": sorted({study.patient for study in validation}),
        "learned_from": [sorted({study.patient for study in source.studies}) for source in sources],
        "shares": [source.share for source in sources],
        "studies_sha256": [sha256_of(studies) for studies in (*(source.studies for source in sources), validation)],
    }


def sha256_of(studies: Sequence[LabelledStudy]) -> str:
    """Of all that is learned from them."""
    digest = hashlib.sha256()
    for study in studies:
        digest.update(f"{study.name} {study.slices.shape} {study.slice_mm}".encode())
        digest.update(study.slices.tobytes())
        digest.update(study.labels.tobytes())
    return digest.hexdigest()


def require_device(device: str) -> None:
    """Raises: TrainingError when this machine has no such device."""
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device cuda is not available here, need a CUDA build of torch and a GPU, or --device cpu")


def training_config(arguments: argparse.Namespace) -> TrainingConfig:
    """The recipe with the values that were given."""
    given = {name: getattr(arguments, name) for name in RECIPE_OPTIONS if getattr(arguments, name) is not None}
    return with_settings(replace(RECIPES[arguments.recipe], **given), arguments.set)


def preprocessing_of(arguments: argparse.Namespace) -> Preprocessing:
    return WITH_SCALP if arguments.with_scalp else Preprocessing()


def starting_network(arguments: argparse.Namespace) -> tuple[torch.nn.Module, NetworkConfig]:
    """Raises: ConfigError when the weights to start from leave no choice of what was chosen."""
    if arguments.initial:
        if surplus := [f"--{name}" for name, left in LEFT_TO_INITIAL.items() if getattr(arguments, name) != left]:
            raise ConfigError(f"{' and '.join(surplus)} beside --initial, whose weights decide that; need one of both")
        network, identity = load_weights(arguments.initial)
        zoom = identity.network.zoom if arguments.zoom is None else arguments.zoom
        return zoomed(network, zoom), replace(identity.network, zoom=zoom)
    default = NetworkConfig()
    config = NetworkConfig(
        name=arguments.network or default.name,
        activation=arguments.activation or default.activation,
        zoom=arguments.zoom or default.zoom,
    )
    imagenet = None if arguments.imagenet == "none" else imagenet_state(arguments.imagenet, encoder_of(config.name))
    return build_network(config, imagenet), config


def teachers_of(arguments: argparse.Namespace, config: TrainingConfig) -> list[torch.nn.Module]:
    """Raises: ConfigError when there are teachers whose answer weighs nothing, or a weight and no teacher."""
    if bool(arguments.teacher) != (config.loss.distillation > 0.0):
        weight = f"loss.distillation {config.loss.distillation:g}"
        raise ConfigError(f"{len(arguments.teacher)} teachers and {weight}, need both or neither")
    return [load_weights(path)[0] for path in arguments.teacher]


def network_name(text: str) -> str:
    """Raises: ArgumentTypeError when no network has that name."""
    try:
        return check_network_name(text)
    except NetworkNameError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def zoom(text: str) -> float:
    """Raises: ArgumentTypeError outside 1 to `LARGEST_ZOOM`; ValueError when it is no number, as argparse expects."""
    value = float(text)
    if not 1.0 <= value <= LARGEST_ZOOM:
        raise argparse.ArgumentTypeError(f"is {text}, need 1 to {LARGEST_ZOOM:g}")
    return value


def load_sources(arguments: argparse.Namespace) -> tuple[list[Source], list[LabelledStudy]]:
    """The studies to train on, by folder, and those of the patients held out.

    Raises: DatasetError when nothing of a folder is left to learn from; as `held_out_patients` and `parse_share`.
    """
    cache = arguments.cache or arguments.run / "cache"
    preprocessing = preprocessing_of(arguments)
    shares = [parse_share(text) for text in arguments.data]
    loaded = [load_folder(folder, preprocessing, cache=cache) for folder, _ in shares]
    held_out = held_out_patients(arguments, loaded[0])
    sources, validation = [], []
    for (folder, share), studies in zip(shares, loaded, strict=True):
        there = [name for name in held_out if name in {study.patient for study in studies}]
        kept, apart = split_by_patient(studies, there)
        if not kept:
            raise DatasetError(
                f"all {len(studies)} studies of folder {folder.name} are held out, need one to learn from"
            )
        sources.append(Source(folder.name, share, tuple(kept)))
        validation.extend(apart)
    check_held_out(held_out, validation)
    return sources, validation


def load_folder(folder: Path, preprocessing: Preprocessing, *, cache: Path) -> list[LabelledStudy]:
    """Raises: as `find_studies` and `load_studies`, with the name of the study."""
    studies: list[LabelledStudy] = []
    for files in find_studies(folder):
        with named(files.name):
            studies += load_studies([files], preprocessing, cache=cache)
    return studies


def held_out_patients(arguments: argparse.Namespace, studies: Sequence[LabelledStudy]) -> list[str]:
    """The patients that were named and those of the fold; folds are the same for every seed, network and recipe.

    Raises: DatasetError when the fold is none of the folds, or there are none, or more than patients.
    """
    named = [name for name in arguments.hold_out.split(",") if name]
    fold = arguments.fold or 0
    if not arguments.folds:
        if arguments.fold is not None:
            raise DatasetError(f"fold {fold} of no folds, need --folds")
        return named
    if fold >= arguments.folds:
        raise DatasetError(f"fold {fold} of {arguments.folds}, need one from 0 to {arguments.folds - 1}")
    folds = patient_folds([study.patient for study in studies], fold_count=arguments.folds, seed=0)
    return sorted({*named, *folds[fold]})


def parse_share(text: str) -> tuple[Path, float]:
    """Raises: DatasetError when the share is no positive number."""
    folder, colon, share = text.rpartition(":")
    if not colon:
        return Path(text), 1.0
    try:
        value = float(share)
    except ValueError as error:
        raise DatasetError(f"share {share!r} of {folder} is no number") from error
    if not 0.0 < value < math.inf:
        raise DatasetError(f"share of {folder} is {value:g}, need a finite one above 0")
    return Path(folder), value


def check_held_out(held_out: Sequence[str], validation: Sequence[LabelledStudy]) -> None:
    """Raises: DatasetError when a patient to hold out is in no folder."""
    if missing := set(held_out) - {study.patient for study in validation}:
        raise DatasetError(f"patients {sorted(missing)} to hold out are in no folder")

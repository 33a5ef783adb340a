"""Writes trained weights as the ONNX graph that inference runs."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from inference_worker.checkpoint import (
    CheckpointError,
    Parity,
    WeightsIdentity,
    export_onnx,
    file_sha256,
    load_weights,
    save_weights,
)


class AboutError(ValueError):
    """What only people know is told in another form than a JSON object."""


FILE_NAME = r"[A-Za-z0-9_.+-]+"
REFUSALS = (AboutError, CheckpointError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="safetensors file that `train` wrote")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="receives NAME-VERSION.onnx, .safetensors, .json"
    )
    parser.add_argument("--version", help="version to give them (default: the one that WEIGHTS carry)")
    parser.add_argument(
        "--plaque-threshold",
        type=float,
        metavar="P",
        help="probability from which on a voxel is a plaque (default: what WEIGHTS carry)",
    )
    parser.add_argument(
        "--slab-mm",
        type=float,
        metavar="MM",
        help="thickness of the slabs that thin slices are seen as, 0 for none (default: what WEIGHTS carry)",
    )
    parser.add_argument(
        "--mirrored",
        action=argparse.BooleanOptionalAction,
        dest="is_mirrored",
        help="whether the network also sees slices with left and right exchanged (default: what WEIGHTS carry)",
    )
    parser.add_argument(
        "--about",
        type=Path,
        metavar="FILE",
        help="JSON object with what only people know, such as caveat and training data; merged into the facts",
    )


def run(arguments: argparse.Namespace) -> None:
    network, identity = load_weights(arguments.weights)
    reading = replace(identity.reading, **given(arguments, "plaque_threshold", "slab_mm", "is_mirrored"))
    identity = replace(identity, version=arguments.version or identity.version, reading=reading)
    about = read_about(arguments.about) if arguments.about else {}
    check_names(identity)
    arguments.output.mkdir(parents=True, exist_ok=True)
    stem = arguments.output / f"{identity.name}-{identity.version}"
    parity = export_onnx(named(stem, "onnx"), network, identity)
    save_weights(named(stem, "safetensors"), network, identity)
    record = {**facts(stem, identity, parity), **about}
    named(stem, "json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record) + "\n")


def check_names(identity: WeightsIdentity) -> None:
    """Raises: CheckpointError when name and version make no name of a file, as with a slash."""
    for what, text in (("name", identity.name), ("version", identity.version)):
        if not re.fullmatch(FILE_NAME, text):
            raise CheckpointError(f"{what} is {text!r}, need letters, digits, '.', '_', '+' and '-': it names files")


def read_about(path: Path) -> dict[str, Any]:  # Any: JSON
    """Raises: AboutError unless the file is one JSON object in UTF-8."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of the JSON, or of its encoding
        raise AboutError(f"{path.name} is no JSON in UTF-8: {error}") from error
    if not isinstance(about, dict):
        raise AboutError(f"{path.name} holds a {type(about).__name__}, need a JSON object")
    return about


def given(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:  # Any: of whichever option
    """Those of the options that were given."""
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def named(stem: Path, suffix: str) -> Path:
    """The stem with a suffix; `with_suffix` would cut a version off at its dot."""
    return stem.with_name(f"{stem.name}.{suffix}")


def facts(stem: Path, identity: WeightsIdentity, parity: Parity) -> dict[str, object]:
    return {
        **asdict(identity),
        "sha256": file_sha256(named(stem, "onnx")),
        "safetensors_sha256": file_sha256(named(stem, "safetensors")),
        "parity": asdict(parity),
    }

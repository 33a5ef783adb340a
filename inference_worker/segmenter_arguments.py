"""The options of every command that runs a network on a study."""

from __future__ import annotations

import argparse
from pathlib import Path

from inference_worker.argument_types import positive
from inference_worker.graphs import PRECISIONS, PROVIDERS
from inference_worker.prediction import Segmenter
from plaqueview.imaging.lesions import CountingRule


def add_segmenter_arguments(parser: argparse.ArgumentParser) -> None:
    """`weights`, `device`, `precision` and `threads`, as `Segmenter.load` takes them."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="ONNX weights (default: those that ship)")
    parser.add_argument("--device", choices=sorted(PROVIDERS), default="cpu")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="bfloat16 is faster on CPUs that have units for it (needs the extra 'bfloat16')",
    )
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of the network (default: one a core)")


def loaded_segmenter(arguments: argparse.Namespace, *, rule: CountingRule | None = None) -> Segmenter:
    """The model that the options name. Raises: as `Segmenter.load`."""
    return Segmenter.load(
        arguments.weights,
        device=arguments.device,
        precision=arguments.precision,
        threads=arguments.threads,
        rule=rule or CountingRule(),
    )

"""The options of every command that runs a network on a study."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_segmenter_arguments(parser: argparse.ArgumentParser) -> None:
    """`weights` and `threads`, as `Segmenter.load` takes them."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="ONNX weights (default: those that ship)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the network (default: one a core)")

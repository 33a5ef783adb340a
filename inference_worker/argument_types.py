"""Numbers on the command line, refused where they are typed: wrong usage, with exit status 2."""

import argparse


def positive(text: str) -> int:
    """Raises: ArgumentTypeError below 1; ValueError when it is no whole number, as argparse expects."""
    return _at_least(1, text)


def not_negative(text: str) -> int:
    """Raises: as `positive`, below 0."""
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    if (number := int(text)) < least:
        raise argparse.ArgumentTypeError(f"is {number}, need at least {least}")
    return number

"""A spreadsheet shows what a sender wrote, and does not run it."""

import pytest

from plaqueview.core.csv_file import csv_bytes


def test_names_numbers_and_nothing_are_written_as_they_are():
    rows = [{"scanner": 'Philips, "Ingenia"', "shift_mm": -1.5, "note": None}]

    assert csv_bytes(["scanner", "shift_mm", "note"], rows) == (
        b'scanner,shift_mm,note\r\n"Philips, ""Ingenia""",-1.5,\r\n'
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_begin_a_formula_is_quoted(text):
    (_, line) = csv_bytes(["name"], [{"name": text}]).decode().split("\r\n", 1)

    assert line.strip('"\r\n').startswith("'")

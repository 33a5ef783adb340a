"""CSV that a spreadsheet shows and does not run."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

# What a spreadsheet takes for the beginning of a formula. Source: OWASP ASVS 5.0, 1.2.10.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """UTF-8 with a line of names, RFC 4180; None is empty.

    Text that would begin a formula, such as a scanner's or a patient's name made for that, gets a quote before it.
    """
    stream = StringIO(newline="")
    writer = csv.DictWriter(stream, columns)
    writer.writeheader()
    writer.writerows({name: _shown(value) for name, value in row.items()} for row in rows)
    return stream.getvalue().encode()


def _shown(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value

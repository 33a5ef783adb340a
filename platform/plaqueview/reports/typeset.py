"""A report as pages: what it says goes to Typst as data, never as markup, and comes back as an accessible PDF."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import typst

from plaqueview.imaging.dicom_source import DocumentError

HERE: Final = Path(__file__).parent
TEMPLATE: Final = HERE / "templates" / "report.typ"
FONTS: Final = HERE / "fonts"

# Source: ISO 14289-1: tagged, with a language, a title, and words for every picture.
STANDARD: Final = "ua-1"

# Alphabets that the fonts of the report have, by the first word of their letters' Unicode names.
ALPHABETS: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARABIC", "DIGIT"})
MISSING: Final = "?"


@dataclass(frozen=True)
class Foreign:
    """A text that is not in the language of the report."""

    text: str
    language: str = "en"


Text = str | Foreign


@dataclass(frozen=True)
class Fact:
    label: str
    value: Text


@dataclass(frozen=True)
class Column:
    """`number` aligns at the end, `wide` takes the room that the others leave."""

    title: str
    number: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """`total` sets the last row apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False


@dataclass(frozen=True)
class Sign:
    """What a sign in the pictures means; `color` is #rrggbb."""

    text: str
    color: str
    hatched: bool


@dataclass(frozen=True)
class Picture:
    """`file` is a name in the report's files, `alt` says in words what is to be seen."""

    file: str
    alt: str
    caption: str
    aspect: float


@dataclass(frozen=True)
class Section:
    title: str
    paragraphs: tuple[Text, ...] = ()
    facts: tuple[Fact, ...] = ()
    table: Table | None = None
    key: tuple[Sign, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Report:
    """Every word of the pages; `head` stands side by side.

    `draft` and `watermark` are empty once the version is approved; `page` holds {page} and {pages}.
    """

    language: str
    title: str
    producer: str
    description: str
    keywords: tuple[str, ...]
    running_head: str
    draft: str
    watermark: str
    notice: str
    footer: str
    page: str
    attachment: str
    head: tuple[Section, ...]
    sections: tuple[Section, ...]


def typeset(report: Report, files: Mapping[str, bytes], *, made_at: datetime) -> bytes:
    """The PDF: the same bytes for the same words, pictures and time. `files` holds pictures and `lesions.csv`.

    Letters that no font of the report has become question marks.

    Raises: DocumentError when it cannot be set as an accessible PDF.
    """
    with TemporaryDirectory(prefix="plaqueview-report-") as folder:
        root = Path(folder)
        root.joinpath("report.json").write_text(json.dumps(_drawable(asdict(report)), ensure_ascii=False), "utf-8")
        for name, content in files.items():
            root.joinpath(name).write_bytes(content)
        return _compile(root, made_at)


def _compile(root: Path, made_at: datetime) -> bytes:
    compiler = typst.Compiler(TEMPLATE.read_bytes(), root=root, font_paths=_fonts(), ignore_system_fonts=True)
    try:
        pdf = compiler.compile(format="pdf", pdf_standards=STANDARD, timestamp=int(made_at.timestamp()))
    except typst.TypstError:
        raise DocumentError("the pages cannot be set: a text has letters that no font of the report has") from None
    if not isinstance(pdf, bytes):
        raise DocumentError("the pages cannot be set: there are none")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """Those that come with the report, and Typst's own for what they lack; the machine's would differ."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])


def _drawable(value: Any) -> Any:  # Any: JSON
    if isinstance(value, str):
        return "".join(letter if _has_letter(letter) else MISSING for letter in unicodedata.normalize("NFC", value))
    if isinstance(value, dict):
        return {name: _drawable(one) for name, one in value.items()}
    return [_drawable(one) for one in value] if isinstance(value, list | tuple) else value


@cache
def _has_letter(letter: str) -> bool:
    if letter < "\u0250":  # Latin and its signs
        return True
    if letter.isalnum() or unicodedata.combining(letter):
        return unicodedata.name(letter, "").partition(" ")[0] in {*ALPHABETS, "COMBINING", "SUPERSCRIPT"}
    return letter < "\u2500"

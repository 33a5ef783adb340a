"""A report's pages as a reader of their text has them."""

from io import BytesIO

from pypdf import PdfReader

WATERMARK = "DRAFT"


def reader_of(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(content: bytes) -> str:
    """The pages' text with single spaces, without soft line ends."""
    return " ".join(" ".join(page.extract_text() for page in reader_of(content).pages).split())

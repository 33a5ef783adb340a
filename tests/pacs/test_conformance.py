"""The conformance statement says what the code does."""

from pathlib import Path

from plaqueview.pacs.conformance import MATCHES, conformance_statement
from plaqueview.pacs.listener import application_entity

DOCUMENT = Path(__file__).parents[2] / "docs" / "dicom_conformance.md"
UPDATE = "python manage.py conformance_statement > docs/dicom_conformance.md"


def test_the_document_is_current():
    assert DOCUMENT.read_text() == conformance_statement(), f"outdated; run: {UPDATE}"


def test_it_names_every_class_that_the_listener_takes_and_every_route():
    text = conformance_statement()

    assert all(str(one.abstract_syntax) in text for one in application_entity().supported_contexts[1:])
    assert "| `/dicom-web/studies/{study_uid}/series/{series_uid}/instances/{instance_uid}/thumbnail` | GET |" in text
    assert "The query parameter `accept` comes before the header `Accept`; in both `q` weighs.\n" in text
    assert "| Instance | NumberOfFrames | (0028,0008) | a whole number |" in text
    assert len(MATCHES) == 7

"""Reports speak their languages wholly: every message of the sources, with the same numbers in it.

After a change of words: `pybabel extract -k gettext_noop -o reports.pot platform/plaqueview/reports`, then
`pybabel update` and `pybabel compile` with `-D django -d platform/plaqueview/reports/locale`.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

import plaqueview.reports
from plaqueview.annotations.models import Evidence, Lesion
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.imaging.longitudinal import ChangeRule
from plaqueview.imaging.protocol import RECOMMENDED, TITLES, Check
from plaqueview.imaging.regions import Region
from plaqueview.reports import words
from plaqueview.reports.stamps import basis_of
from tests.imaging.documents import approved, stamp

REPORTS = Path(plaqueview.reports.__file__).parent
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def messages_of_sources() -> set[str | tuple[str, ...]]:
    keywords = {**DEFAULT_KEYWORDS, "gettext_noop": None}
    return {found[2] for found in extract_from_dir(REPORTS, keywords=keywords)}


def catalog(language: str) -> Catalog:
    with (REPORTS / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def sentences(message: str | tuple[str, ...]) -> Iterator[str]:
    yield from [message] if isinstance(message, str) else message


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_of_the_sources_is_translated_with_the_same_placeholders(language):
    messages = [message for message in catalog(language) if message.id]

    assert {message.id for message in messages} == messages_of_sources()
    for message in messages:
        needed = {tuple(sorted(PLACEHOLDER.findall(one))) for one in sentences(message.id)}
        found = {tuple(sorted(PLACEHOLDER.findall(one))) for one in sentences(message.string)}
        assert (found, message.fuzzy) == (needed, False), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalog_is_that_of_the_sources(language):
    stream = BytesIO()
    write_mo(stream, catalog(language))

    assert stream.getvalue() == (REPORTS / "locale" / language / "LC_MESSAGES" / "django.mo").read_bytes()


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_other_app_has_the_last_word(language):
    with translation.override(language):
        for message in catalog(language):
            if isinstance(message.id, str) and message.id:
                assert translation.gettext(message.id) == message.string
            elif message.id:
                assert translation.ngettext(*message.id, 1) == message.string[0]
                assert translation.ngettext(*message.id, 5) == message.string[-1]


def test_what_other_modules_say_in_english_is_known_to_the_translators():
    labels = {one.label_of(kind) for one in (stamp(), approved()) for kind in LesionClass}
    said = [(None, ""), (None, "added"), *((one, "confirmed") for one in Evidence.values)]
    lesions = [
        Lesion(lesion_class=kind, evidence=evidence, statement_kind=deed)
        for kind in LesionClass
        for evidence, deed in said
    ]
    bases = {basis_of(lesion, one) for lesion in lesions for one in (stamp(), approved())}

    checks = {
        words_of
        for check in set(Check) - {Check.FLAIR}
        for words_of in (TITLES[check], *RECOMMENDED.get(check, ())[:1])
    }

    regions = {words.said_of_region(region) for region in Region}

    assert {RESEARCH_NOTICE} | labels | bases | checks | regions == set(words.SAID_ELSEWHERE)


def test_in_english_the_rules_are_word_for_word_those_of_the_numbers():
    with translation.override("en"):
        assert words.change_rule(ChangeRule()) == ChangeRule().sentence
        assert words.size_rule() == SIZE_RULE


def test_what_is_written_left_to_right_stays_so_in_a_script_that_is_not():
    with translation.override("fa"):
        assert words.slices([3, 4, 5, 8]) == "\u20664\u20136, 9\u2069"
    with translation.override("de"):
        assert words.slices([3, 4, 5, 8]) == "4\u20136, 9"

"""How the value of a query matches a column. Source: PS3.4 C.2.2.2."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django.db.models import Q

from plaqueview.core.errors import InvalidError
from plaqueview.patients.search import folded

# The column's path and the value asked for.
Match = Callable[[str, str], Q]
# The value asked for; what it gives says whether a value matches that the database cannot look into.
Test = Callable[[str], Callable[[Any], bool]]  # Any: the column's type

WILDCARDS = re.compile(r"[*?]")
# What may be left out, from the right. Source: PS3.5 Table 6.2-1, TM.
TIME = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?")


def match_uid(path: str, value: str) -> Q:
    """A list of UIDs, parted by commas or backslashes."""
    return Q(**{f"{path}__in": re.split(r"[,\\]", value)})


def match_text(path: str, value: str) -> Q:
    """The whole value, in which * stands for any text and ? for one character; spaces around it mean nothing."""
    if not WILDCARDS.search(value):
        return Q(**{path: value.strip()})
    return Q(**{f"{path}__regex": _pattern(value)})


def match_name(path: str, value: str) -> Q:
    """As text, without regard to case: the name or a group of it, whatever empty components either ends with.

    Without wildcards most names are told apart by their beginnings, which costs the database far less than a pattern.
    """
    whole = Q(**{f"{path}__iregex": _pattern_of_name(value)})
    if WILDCARDS.search(value):
        return whole
    beginning = _name(value)
    return (Q(**{f"{path}__istartswith": beginning}) | Q(**{f"{path}__icontains": f"={beginning}"})) & whole


def match_words(path: str, value: str) -> Q:
    """Each word begins one of the column's, in any order; the column is folded as by `patients.search`.

    What fuzzy matching means is the server's to say. Source: PS3.18 8.3.4.2.
    """
    query = Q()
    for word in _words(value):
        query &= Q(**{f"{path}__startswith": word}) | Q(**{f"{path}__contains": f" {word}"})
    return query


def match_number(path: str, value: str) -> Q:
    if not re.fullmatch(r"-?\d{1,9}", value):
        raise InvalidError(f"{value!r} is no whole number", fields={path: "a whole number"})
    return Q(**{path: int(value)})


def match_date(path: str, value: str) -> Q:
    """A day, or a range of days of which one end may be open: 20240101-20240131, -20240131, 20240101-."""
    first, last = _days(value)
    if first is not None and first == last:
        return Q(**{path: first})
    query = Q(**{f"{path}__isnull": False})
    if first:
        query &= Q(**{f"{path}__gte": first})
    if last:
        query &= Q(**{f"{path}__lte": last})
    return query


def match_time(path: str, value: str) -> Q:
    """A time, or a range of times of which one end may be open; one without seconds is all that it may be."""
    first, dash, last = value.partition("-")
    query = Q(**{f"{path}__isnull": False})
    if first:
        query &= Q(**{f"{path}__gte": _times(first)[0]})
    if last or not dash:
        query &= Q(**{f"{path}__lte": _times(last or first)[1]})
    return query


def text_test(value: str) -> Callable[[str], bool]:
    """As `match_text` does it."""
    pattern = re.compile(_pattern(value))
    return lambda text: pattern.search(text) is not None


def name_test(value: str) -> Callable[[str], bool]:
    """As `match_name` does it."""
    pattern = re.compile(_pattern_of_name(value), re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


def words_test(value: str) -> Callable[[str], bool]:
    """As `match_words` does it."""
    words = _words(value)
    return lambda text: all(f" {word}" in f" {text}" for word in words)


def date_test(value: str) -> Callable[[date], bool]:
    """As `match_date` does it."""
    first, last = _days(value)
    return lambda day: (first or date.min) <= day <= (last or date.max)


def _words(value: str) -> list[str]:
    return folded(WILDCARDS.sub(" ", value)).split()


def _days(value: str) -> tuple[date | None, date | None]:
    """The first and the last day; None for an open end."""
    first, dash, last = value.partition("-")
    if not dash:
        return _day(first), _day(first)
    return (_day(first) if first else None), (_day(last) if last else None)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError as error:
        raise InvalidError(f"{text!r} is no date", fields={"date": "YYYYMMDD"}) from error


def _times(text: str) -> tuple[time, time]:
    """The first and the last time that the text may mean."""
    found = TIME.fullmatch(text)
    if found is None:
        raise InvalidError(f"{text!r} is no time", fields={"time": "HHMMSS"})
    hour, minute, second, fraction = found.groups()
    try:
        return (
            time(int(hour), int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0"))),
            time(int(hour), int(minute or 59), int(second or 59), int((fraction or "").ljust(6, "9"))),
        )
    except ValueError as error:
        raise InvalidError(f"{text!r} is no time", fields={"time": "HHMMSS"}) from error


def _pattern(value: str) -> str:
    return f"^{_wild(value.strip())}$"


def _pattern_of_name(value: str) -> str:
    return f"(^|=){_wild(_name(value))}[ ^]*(=|$)"


def _name(value: str) -> str:
    return value.strip().rstrip(" ^")


def _wild(value: str) -> str:
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(letter, re.escape(letter)) for letter in value)

"""`If-Match` and `If-None-Match` of a request that writes.

Source: RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from plaqueview.core.errors import InvalidError, PreconditionRequiredError

ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
ENTITY_TAGS = re.compile(rf"\s*{ENTITY_TAG}(?:\s*,\s*{ENTITY_TAG})*\s*")


@dataclass(frozen=True)
class Precondition:
    """What has to be stored for the request to be carried out.

    `tags` None means that anything may be, and `is_for_new` that nothing may be. A weak tag stands for content that is
    only about the same, and so matches nothing here.
    """

    tags: frozenset[str] | None = None
    is_for_new: bool = False

    def holds_for(self, etag: str | None) -> bool:
        """`etag` is the tag of what is stored, in its quotation marks; None when nothing is."""
        if self.is_for_new or etag is None:
            return self.is_for_new and etag is None
        return self.tags is None or etag in self.tags


def precondition_of(headers: Mapping[str, str]) -> Precondition:
    """What the headers of a request say, whose names count in any case.

    Raises: PreconditionRequiredError when they say nothing; InvalidError when they cannot be read, or both are there.
    """
    match_, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if match_ is None and none_match is None:
        raise PreconditionRequiredError(
            'say which revision this changes, If-Match: "3", or that there is none yet, If-None-Match: *'
        )
    if match_ is not None and none_match is not None:
        raise InvalidError("If-Match and If-None-Match were both sent, need one of them")
    if none_match is not None:
        return _for_new(none_match)
    return _for_current(match_ or "")


def _for_new(value: str) -> Precondition:
    if value.strip() != "*":
        raise InvalidError(f"If-None-Match is {value!r}, need *", fields={"If-None-Match": "*"})
    return Precondition(is_for_new=True)


def _for_current(value: str) -> Precondition:
    if value.strip() == "*":
        return Precondition()
    if not ENTITY_TAGS.fullmatch(value):
        raise InvalidError(f"If-Match is {value!r}, need a tag in quotation marks", fields={"If-Match": '"3"'})
    return Precondition(tags=frozenset(re.findall(ENTITY_TAG, value)))

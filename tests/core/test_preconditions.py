"""If-Match and If-None-Match mean what RFC 9110 says, and nothing is guessed."""

import pytest

from plaqueview.core.errors import InvalidError, PreconditionRequiredError
from plaqueview.core.preconditions import precondition_of


@pytest.mark.parametrize(
    ("headers", "etag", "holds"),
    [
        ({"If-Match": '"3"'}, '"3"', True),
        ({"If-Match": '"3"'}, '"33"', False),
        ({"If-Match": '"3"'}, None, False),
        ({"If-Match": ' "1" ,\t"3"'}, '"3"', True),
        ({"If-Match": '"1,3"'}, '"3"', False),
        ({"If-Match": '""'}, '""', True),
        ({"If-Match": 'W/"3"'}, '"3"', False),
        ({"If-Match": 'W/"3", "3"'}, '"3"', True),
        ({"If-Match": "*"}, '"3"', True),
        ({"If-Match": " * "}, '"3"', True),
        ({"If-Match": "*"}, None, False),
        ({"If-Match": '"*"'}, '"3"', False),
        ({"If-None-Match": "*"}, None, True),
        ({"If-None-Match": "*"}, '"3"', False),
    ],
)
def test_it_holds_for_what_is_named_and_for_nothing_else(headers, etag, holds):
    assert precondition_of(headers).holds_for(etag) is holds


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "3"},
        {"If-Match": '"3'},
        {"If-Match": '"3" "4"'},
        {"If-Match": 'w/"3"'},
        {"If-Match": '*, "3"'},
        {"If-Match": '"a b"'},
        {"If-Match": ""},
        {"If-None-Match": '"3"'},
        {"If-None-Match": ""},
        {"If-Match": '"3"', "If-None-Match": "*"},
    ],
)
def test_what_cannot_be_read_is_refused(headers):
    with pytest.raises(InvalidError):
        precondition_of(headers)


def test_nothing_said_is_not_anything_goes():
    with pytest.raises(PreconditionRequiredError, match="If-Match"):
        precondition_of({"If-Modified-Since": "Sun, 22 Nov 2026 18:00:00 GMT"})

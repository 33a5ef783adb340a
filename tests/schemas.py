"""A JSON schema's validator."""

from collections.abc import Mapping
from typing import Any


def validator_of(schema: Mapping[str, Any]) -> Any:
    # Imported here: it compiles the grammar of URIs, and every process of the tests reads every file of theirs.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)

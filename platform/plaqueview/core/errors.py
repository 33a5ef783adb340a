"""One root, a class per cause; only `core.api` knows which HTTP status each becomes."""

from collections.abc import Mapping
from typing import ClassVar


class PlaqueViewError(Exception):
    """Something that a caller can act on; the message names the thing, the value found and the value needed."""

    code: ClassVar[str] = "error"

    def __init__(
        self, detail: str, *, fields: Mapping[str, str] | None = None, members: Mapping[str, object] | None = None
    ) -> None:
        """`fields` says what is wrong with which field; `members` stand in the problem beside its own."""
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})
        self.members = dict(members or {})


class NotFoundError(PlaqueViewError):
    """The thing does not exist, or the actor may not know that it does."""

    code = "not_found"


class DeniedError(PlaqueViewError):
    """The actor's role or token does not include the action."""

    code = "denied"


class ReauthenticationError(DeniedError):
    """The caller has not lately shown that it is them: by password, code or passkey."""

    code = "reauthentication_needed"


class InvalidError(PlaqueViewError):
    """The input cannot be used as it is."""

    code = "invalid"


class ConflictError(PlaqueViewError):
    """The thing is in a state, or holds content, that rules the action out."""

    code = "conflict"


class PreconditionError(PlaqueViewError):
    """The caller acted on a version that is no longer the current one."""

    code = "precondition_failed"


class PreconditionRequiredError(PlaqueViewError):
    """The caller did not say which version is acted on."""

    code = "precondition_required"


class TooLargeError(PlaqueViewError):
    """The input exceeds a limit that the department has set."""

    code = "too_large"


class UnavailableError(PlaqueViewError):
    """A part that is needed (disk, broker, worker) cannot serve now."""

    code = "unavailable"


class AwayError(UnavailableError):
    """What cannot serve now comes back by itself, as a bucket does: what a worker was at is put back and done later."""

"""Whose a draft is."""
# ruff: noqa: ARG001  (every study is read by all its readers together)

from plaqueview.accounts.models import User
from plaqueview.studies.models import Study


def draft_owner(study: Study, actor: User) -> User | None:
    """The reader whose own draft of the study the actor works on; None where the readers share one."""
    return None

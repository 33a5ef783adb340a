"""Who asks early, and for what."""

import pytest

from plaqueview.core.access import Role
from tests.accounts.people import make_user
from tests.pacs.early.answers import bearer, session
from tests.pacs.wado import address, multi_frame
from tests.studies.dicom_files import encoded, receive_bytes


@pytest.fixture
def token() -> dict[str, str]:
    return bearer(make_user(Role.NEUROLOGIST))


@pytest.fixture(params=["token", "session"])
def caller(request) -> dict[str, str]:
    """The headers by which a neurologist is known."""
    return {"token": bearer, "session": session}[request.param](make_user(Role.NEUROLOGIST))


@pytest.fixture
def path() -> str:
    """Of an instance with four frames."""
    dataset, _ = multi_frame()
    receive_bytes(encoded(dataset))
    return address(dataset)

"""What the listener's keeper does for those who come too late."""

from pathlib import Path
from uuid import uuid4

import pytest

from plaqueview.accounts.models import Site
from plaqueview.core.errors import UnavailableError
from plaqueview.pacs.listener import Keeper
from plaqueview.studies.services import Arrival, Source


def test_who_comes_after_the_end_is_refused_and_never_waits(tmp_path: Path):
    keeper = Keeper()
    keeper.close()

    for _ in range(2):
        with pytest.raises(UnavailableError, match="the listener is ending"):
            keeper.keep(tmp_path / "late.dcm", Arrival(Site(name="Ljubljana"), Source.C_STORE))

    keeper.settle({uuid4()})

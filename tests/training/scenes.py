"""Departments with approved versions, as labelled files that were imported, and snapshots of them."""

from pathlib import Path
from zlib import crc32

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.imaging.volume import Volume
from plaqueview.studies.models import Study
from plaqueview.training import services
from plaqueview.training.importing import import_case
from plaqueview.training.labelled_files import find_cases
from plaqueview.training.models import DatasetSnapshot
from plaqueview.training.rules import InclusionRules
from tests.accounts.people import make_user
from tests.worker.support import head_volume, write_study


def make_admin(site: Site | None = None) -> User:
    return make_user(Role.ADMIN, site=site or create_site(name="Ljubljana"))


def write_cases(folder: Path, *names: str, classes: bool = True) -> Path:
    """A labelled head under each name, no two of them the same."""
    for name in names:
        head = head_volume()
        brighter = Volume(head.voxels + crc32(name.encode()) % 97, head.affine)
        write_study(folder / name, classes=classes, volume=brighter)
    return folder


def import_cases(folder: Path, *names: str, site: Site | None = None, classes: bool = True) -> list[Study]:
    """The cases as studies with an approved version."""
    site = site or create_site(name="Ljubljana")
    cases = find_cases(write_cases(folder, *names, classes=classes))
    return [import_case(case, site=site).study for case in cases]


def built_snapshot(admin: User, rules: InclusionRules | None = None) -> DatasetSnapshot:
    """A snapshot, asked for and built."""
    snapshot = services.request_snapshot(rules=rules or InclusionRules(), site_ids=[], actor=admin)
    services.build_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    return snapshot

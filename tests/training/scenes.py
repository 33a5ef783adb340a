"""Departments with approved versions, as labelled files that were imported, and snapshots of them."""

from hashlib import sha256
from pathlib import Path
from zlib import crc32

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.imaging.volume import Volume
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from plaqueview.training import services
from plaqueview.training.importing import import_case
from plaqueview.training.labelled_files import find_cases
from plaqueview.training.manifest import counts_of, manifest_of, manifest_sha256
from plaqueview.training.models import DatasetSnapshot, Side, SnapshotState, SnapshotStudy
from plaqueview.training.rules import InclusionRules
from tests.accounts.people import make_user
from tests.inference.scenes import claimed, make_study, segmentation
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


def read_by_network(study: Study) -> Annotation:
    return inference.complete(claimed(study), segmentation=segmentation())


def ready_snapshot(admin: User) -> DatasetSnapshot:
    """One study of one patient a side, four lesions of unknown class each, as a builder leaves them; without files."""
    site = admin.sites.get()
    snapshot = DatasetSnapshot.objects.create(rules=InclusionRules().as_json(), requested_by=admin)
    snapshot.sites.add(site)
    lesion = {"lesion_class": "unknown", "source": "none", "voxel_count": 16, "volume_ml": 0.6}
    rows = [
        SnapshotStudy(
            snapshot=snapshot,
            annotation=read_by_network(make_study(site=site, uid=f"1.2.{side}")),
            patient=f"P-{side}",
            study=f"S-{side}",
            side=side,
            flair_key=f"training/fl/{side}",
            labels_key=f"training/la/{side}",
            image_sha256=sha256(side.encode()).hexdigest(),
            slices=8,
            lesions=[{"number": number, **lesion} for number in range(1, 5)],
        )
        for side in Side.values
    ]
    SnapshotStudy.objects.bulk_create(rows)
    snapshot.counts, snapshot.sha256 = counts_of(rows), manifest_sha256(manifest_of(snapshot, rows))
    snapshot.state = SnapshotState.READY
    snapshot.save()
    return snapshot


def built_snapshot(admin: User, rules: InclusionRules | None = None) -> DatasetSnapshot:
    """A snapshot, asked for and built."""
    snapshot = services.request_snapshot(rules=rules or InclusionRules(), site_ids=[], actor=admin)
    services.build_snapshot(snapshot.pk)
    snapshot.refresh_from_db()
    return snapshot

"""Two studies that a department received, read and, of one, approved: what `support_archive` copies.

Imported only once Django knows the department's settings.
"""

import base64
from collections.abc import Sequence
from copy import deepcopy

import httpx
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site, create_user
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.monitoring.models import StudyEdit, StudyMeasures, StudyTeaching
from plaqueview.studies.models import Series, Study, StudyState
from tests.bench.support_archive import SERIES_AT_MOST, SLICES, Patterns
from tests.drills.department import Department, wait_until
from tests.drills.traffic import STOW_HEADERS, stow_body
from tests.inference.heads import flair_datasets
from tests.studies.dicom_files import encoded
from tests.worker.support import head_volume

SITES = ("Maribor", "Celje")  # beside the department's own
READERS = ("kovac", "novak", "horvat")
READ_TIMEOUT_S = 240.0
SPACING_MM = (5.0, 2.2, 2.2)
# What a head's protocol takes beside the FLAIR.
OTHERS = (
    {"SeriesDescription": "t2_tse_tra", "SeriesNumber": 2, "InversionTime": None, "EchoTime": 100.0},
    {"SeriesDescription": "t1_mprage_sag", "SeriesNumber": 3, "InversionTime": 900.0, "EchoTime": 2.3},
    {"SeriesDescription": "ep2d_diff_3scan_trace", "SeriesNumber": 4, "InversionTime": None, "EchoTime": 90.0},
    {"SeriesDescription": "swi_tra", "SeriesNumber": 5, "InversionTime": None, "EchoTime": 20.0},
)


def make_patterns(department: Department, reader: httpx.Client) -> Patterns:
    """Received by STOW-RS, read by the network, and one approved over REST by `reader`, as any study is."""
    own = Site.objects.get()
    sites = [own, *(create_site(name=name) for name in SITES)]
    for user in User.objects.exclude(role=Role.NEUROLOGIST):
        user.sites.set(sites)
    readers = [
        create_user(
            username=name, password=f"{name}-has-a-long-password", role=Role.NEUROLOGIST, sites=sites, actor=None
        )
        for name in READERS
    ]
    uids = [send(department, patient_id=patient_id, site=own) for patient_id in ("PATTERN-1", "PATTERN-2")]
    read, approved = (read_study(uid) for uid in uids)
    approve(reader, approved)
    wait_until(StudyEdit.objects.exists, what="the edit to be measured", timeout_s=READ_TIMEOUT_S)
    wait_until(are_headers_kept, what="the headers to be kept", timeout_s=READ_TIMEOUT_S)
    return Patterns(read, Study.objects.get(pk=approved.pk), sites, readers)


def are_headers_kept() -> bool:
    """Copies of a series name the file of their pattern's headers, as those of an instance name its file."""
    return not Series.objects.filter(headers_key="").exists()


def send(department: Department, *, patient_id: str, site: Site) -> str:
    flair = flair_datasets(head_volume((SLICES, 96, 96), SPACING_MM), patient_id=patient_id)
    for dataset in flair:
        dataset.SeriesNumber = 1
    datasets = [*flair, *(other for attributes in OTHERS for other in like(flair, **attributes))]
    assert len(datasets) == SERIES_AT_MOST * SLICES
    with department.client() as client:
        body = stow_body([encoded(dataset) for dataset in datasets])
        client.post(f"/dicom-web/studies?site={site.pk}", content=body, headers=STOW_HEADERS).raise_for_status()
    return str(flair[0].StudyInstanceUID)


def like(flair: Sequence[Dataset], **attributes: object) -> list[Dataset]:
    """Another series over the same slices."""
    series_uid, datasets = generate_uid(), [deepcopy(dataset) for dataset in flair]
    for dataset in datasets:
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = series_uid, generate_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.ScanningSequence, dataset.SequenceVariant = ["SE"], ["SK"]
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
    return datasets


def read_study(uid: str) -> Study:
    """The network has read it, its regions are known, and what it looks like is measured."""

    def is_read() -> bool:
        study = Study.objects.filter(study_instance_uid=uid, state=StudyState.READY).first()
        versions = Annotation.objects.filter(study=study).exclude(region_map_key="", region_note="")
        followers = (StudyMeasures.objects.filter(study=study), StudyTeaching.objects.filter(study=study))
        return study is not None and versions.exists() and all(rows.exists() for rows in followers)

    wait_until(is_read, what="a study to be read", timeout_s=READ_TIMEOUT_S)
    return Study.objects.get(study_instance_uid=uid)


def approve(reader: httpx.Client, study: Study) -> None:
    """The network's marks became a reader's version, which was approved."""
    version = f"/api/v1/annotations/{study.current_annotation_id}"
    mask = base64.b64encode(reader.get(f"{version}/mask").raise_for_status().content).decode()
    content = {"base": str(study.current_annotation_id), "mask": mask, "statements": []}
    headers = {"If-None-Match": "*"}
    saved = reader.put(f"/api/v1/studies/{study.pk}/draft", json=content, headers=headers).raise_for_status()
    address, match = f"/api/v1/annotations/{saved.json()['id']}", {"If-Match": saved.headers["ETag"]}
    reader.post(f"{address}/submit", json={"comment": ""}, headers=match).raise_for_status()
    reader.post(f"{address}/approve", json={"comment": ""}).raise_for_status()

"""Other people's programs take the documents for what they are: Orthanc as the PACS, dicom3tools as the judge."""

import shutil
import zipfile
from io import BytesIO

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import dcmread

from tests.bench.support_orthanc import PLUGINS, running_orthanc
from tests.imaging.documents import dciodvfy_errors
from tests.inference.scenes import segmentation
from tests.reports.scenes import STUDY_UID, Office, make_office, slices
from tests.reports.test_documents import voxels_in

pytestmark = [pytest.mark.django_db, pytest.mark.peers]

has_orthanc = shutil.which("Orthanc") is not None and any(PLUGINS.glob("libOrthancDicomWeb.so*"))
needs_orthanc = pytest.mark.skipif(not has_orthanc, reason="needs Orthanc and its DICOMweb plugin")
needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy of dicom3tools")


@pytest.fixture
def office() -> Office:
    return make_office()


def documents_of(office: Office) -> dict[str, bytes]:
    """Every DICOM file of a version that was approved, by name."""
    version = office.confirmed()
    office.approve(version)
    archive = zipfile.ZipFile(BytesIO(office.get(version, "sc.zip").content))
    captures = {name: archive.read(name) for name in archive.namelist()}
    return captures | {kind: office.get(version, kind).content for kind in ("seg.dcm", "sr.dcm", "pdf.dcm")}


@needs_dciodvfy
def test_dciodvfy_finds_no_error_in_any_of_them(office, tmp_path):
    for name, content in documents_of(office).items():
        path = tmp_path / name
        path.write_bytes(content)
        assert dciodvfy_errors(path) == [], name


@needs_orthanc
def test_orthanc_keeps_them_in_the_study_and_gives_the_same_voxels_back(office, tmp_path):
    documents = documents_of(office)

    with running_orthanc(tmp_path) as orthanc:
        pacs = DICOMwebClient(url=f"{orthanc.base_url}/dicom-web".replace("//dicom", "/dicom"))
        pacs.store_instances([*slices(), *(dcmread(BytesIO(content)) for content in documents.values())])
        found = pacs.search_for_series(study_instance_uid=STUDY_UID, fields=["Modality"])
        sent = dcmread(BytesIO(documents["seg.dcm"]))
        seg = pacs.retrieve_instance(STUDY_UID, sent.SeriesInstanceUID, sent.SOPInstanceUID)

    assert sorted(series["00080060"]["Value"][0] for series in found) == ["DOC", "MR", "OT", "SEG", "SR"]
    stream = BytesIO()
    seg.save_as(stream, enforce_file_format=True)
    np.testing.assert_array_equal(voxels_in(stream.getvalue()), segmentation().labels.voxels)
    assert seg.PixelData == sent.PixelData

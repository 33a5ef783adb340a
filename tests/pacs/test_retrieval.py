"""WADO-RS: the stored bytes within the caller's sites, on record once; and dicomweb-client as a caller."""

from io import BytesIO

import pytest
from dicomweb_client.api import DICOMwebClient
from django.test import Client
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from tests.accounts.people import make_user, secret_of, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.wado import address, noise, parts_of
from tests.studies.dicom_files import T1, encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def test_an_instance_comes_back_as_it_was_sent(viewer):
    dataset = series(1)[0]
    content = encoded(dataset, syntax=ImplicitVRLittleEndian)
    receive_bytes(content)

    stored = viewer.get(address(dataset), headers={"accept": "application/dicom; transfer-syntax=*"})
    explicit = viewer.get(address(dataset), headers={"accept": 'multipart/related; type="application/dicom"'})
    jpeg = viewer.get(address(dataset), headers={"accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"})

    assert (stored["Content-Type"], stored.content) == ("application/dicom", content)
    (part,) = parts_of(explicit)
    assert part[128:132] == b"DICM"
    assert b"1.2.840.10008.1.2.1\0" in part[:400]
    assert jpeg.status_code == 406


def test_a_series_and_a_study_come_as_parts(viewer):
    datasets = series(3)
    receive_series(datasets)
    other = series(2, study_uid=datasets[0].StudyInstanceUID, **T1)
    receive_series(other)
    accept = {"accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
    study = f"/dicom-web/studies/{datasets[0].StudyInstanceUID}"

    of_series = viewer.get(f"{study}/series/{datasets[0].SeriesInstanceUID}", headers=accept)
    of_study = viewer.get(study, headers=accept)

    assert parts_of(of_series) == [encoded(dataset) for dataset in datasets]
    assert sorted(parts_of(of_study)) == sorted(encoded(dataset) for dataset in [*datasets, *other])


def test_a_big_endian_instance_comes_as_little_endian_to_its_last_word(viewer):
    dataset, inner, lut = series(1)[0], Dataset(), Dataset()
    set_pixels(dataset, noise())
    dataset.PixelData = noise().astype(">u2").tobytes()
    lut.LUTDescriptor = [4, 0, 16]
    lut.add_new("LUTData", "OW", b"\0\1\0\2\0\3\0\4")
    inner.add_new("PointCoordinatesData", "OF", b"\x3f\xc0\0\0")
    lut.ModalityLUTSequence = [inner]
    dataset.VOILUTSequence = [lut]
    dataset.add_new("DoubleFloatPixelData", "OD", b"\x3f\xf4" + bytes(6))
    dataset.add_new("LongPrimitivePointIndexList", "OL", b"\0\0\0\7")
    dataset.add_new("SelectorOVValue", "OV", bytes(7) + b"\x08")
    dataset.add_new(0x00291010, "OB", b"abcd")
    dataset.FrameIncrementPointer = 0x00181063
    receive_bytes(encoded(dataset, syntax=ExplicitVRBigEndian))

    answer = viewer.get(address(dataset), headers={"accept": "application/dicom"})

    turned = dcmread(BytesIO(answer.content))
    (table,) = turned.VOILUTSequence
    assert turned.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert turned.PixelData == noise().tobytes()
    assert (table.LUTDescriptor, table.LUTData) == ([4, 0, 16], b"\1\0\2\0\3\0\4\0")
    assert table.ModalityLUTSequence[0].PointCoordinatesData == b"\0\0\xc0\x3f"
    assert turned.DoubleFloatPixelData == bytes(6) + b"\xf4\x3f"
    assert turned.LongPrimitivePointIndexList == b"\7\0\0\0"
    assert turned.SelectorOVValue == b"\x08" + bytes(7)
    assert (turned[0x00291010].value, turned.FrameIncrementPointer) == (b"abcd", 0x00181063)
    assert (turned.Rows, turned.PatientName, turned.StudyDate) == (16, "Novak^Ana", "20240203")


@pytest.mark.parametrize("what", ["/frames/1", "/metadata", "/bulkdata/7FE00010", "/rendered", "/thumbnail", ""])
def test_what_was_read_before_costs_two_queries(what, viewer, django_assert_num_queries):
    dataset = series(1)[0]
    receive_series([dataset])
    viewer.get(address(dataset) + what)

    with django_assert_num_queries(2):  # whose token it is, and the one instance with all that is served of it
        assert viewer.get(address(dataset) + what).status_code == 200


def test_reading_hundreds_of_frames_is_one_event(viewer):
    datasets = series(20)
    receive_series(datasets)

    for dataset in datasets:
        viewer.get(f"{address(dataset)}/frames/1")

    assert AuditEvent.objects.filter(kind=EventKind.SERIES_READ).count() == 1


def test_another_site_finds_nothing():
    dataset = series(1)[0]
    receive_series([dataset])
    stranger = token_client(make_user(Role.NEUROLOGIST, site=create_site(name="Maribor")))
    series_path = address(dataset).partition("/instances")[0]

    for path in (address(dataset), f"{address(dataset)}/frames/1", f"{series_path}/metadata", series_path):
        assert stranger.get(path).status_code == 404
    assert stranger.get("/dicom-web/studies").status_code == 204
    assert not AuditEvent.objects.filter(kind=EventKind.SERIES_READ).exists()


def test_a_study_kept_at_two_sites_is_ambiguous_for_who_belongs_to_both():
    dataset = series(1)[0]
    receive_series([dataset])
    maribor = create_site(name="Maribor")
    receive_series([dataset], site=maribor)
    user = make_user(Role.NEUROLOGIST)
    user.sites.add(maribor)

    assert token_client(user).get(f"{address(dataset)}/frames/1").status_code == 409


def test_without_the_action_nothing_is_read():
    dataset = series(1)[0]
    receive_series([dataset])
    user = make_user(Role.NEUROLOGIST)

    for path in (f"{address(dataset)}/frames/1", f"{address(dataset)}/metadata", "/dicom-web/studies"):
        assert Client().get(path).status_code == 401
        assert token_client(user, Action.STUDY_READ).get(path).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_dicomweb_client_searches_and_retrieves_without_special_case(live_server):
    datasets = series(3)
    receive_series(datasets)
    receive_series(series(2, study_uid=datasets[0].StudyInstanceUID, **T1))
    headers = {"Authorization": f"Bearer {secret_of(make_user(Role.NEUROLOGIST))}"}
    client = DICOMwebClient(f"{live_server.url}/dicom-web", headers=headers)
    study_uid, series_uid = datasets[0].StudyInstanceUID, datasets[0].SeriesInstanceUID

    (study,) = client.search_for_studies(search_filters={"PatientID": "P1"})
    found_series = client.search_for_series(study_uid, search_filters={"Modality": "MR"})
    instances = client.search_for_instances(study_uid, series_uid, limit=2, offset=1)
    metadata = client.retrieve_series_metadata(study_uid, series_uid)
    instance = client.retrieve_instance(study_uid, series_uid, datasets[1].SOPInstanceUID)
    whole = client.retrieve_series(study_uid, series_uid)
    frames = client.retrieve_instance_frames(study_uid, series_uid, datasets[2].SOPInstanceUID, [1])

    assert study["0020000D"]["Value"] == [study_uid]
    assert {one["0020000E"]["Value"][0] for one in found_series} > {series_uid}
    assert [one["00200013"]["Value"] for one in instances] == [[2], [3]]
    assert [one["00080018"]["Value"][0] for one in metadata] == [dataset.SOPInstanceUID for dataset in datasets]
    assert instance.pixel_array.tolist() == datasets[1].pixel_array.tolist()
    assert [one.SOPInstanceUID for one in whole] == [dataset.SOPInstanceUID for dataset in datasets]
    assert frames == [datasets[2].PixelData]

"""WADO-RS and QIDO-RS: the stored bytes, frames, headers, and searches, within the caller's sites."""

from io import BytesIO

import numpy as np
import pytest
from dicomweb_client.api import DICOMwebClient
from django.test import Client
from openjpeg.utils import encode_array
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pack_bits
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from tests.accounts.people import make_user, secret_of, token_client
from tests.imaging.phantoms import enhanced, set_pixels
from tests.studies.dicom_files import T1, encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1'
INSTANCES = 'multipart/related; type="application/dicom"'


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def address(dataset) -> str:
    return (
        f"/dicom-web/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )


def parts_of(answer) -> list[bytes]:
    boundary = answer["Content-Type"].split("boundary=")[1].encode()
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return [part.partition(b"\r\n\r\n")[2][:-2] for part in content.split(b"--" + boundary)[1:-1]]


def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4000, (16, 16)).astype(np.uint16)


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
    ],
)
def test_a_frame_is_the_same_in_every_transfer_syntax(syntax, viewer):
    pixels = noise()
    dataset = series(1)[0]
    set_pixels(dataset, pixels)
    if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
        content = encoded(dataset, syntax=syntax)
    elif syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(">u2").tobytes()
        content = encoded(dataset, syntax=syntax)
    else:
        content = encoded(dataset, syntax=syntax)
    receive_bytes(content)

    answer = viewer.get(f"{address(dataset)}/frames/1", headers={"accept": FRAMES})

    assert answer.status_code == 200
    assert parts_of(answer) == [pixels.tobytes()]
    assert b"transfer-syntax=1.2.840.10008.1.2.1" in answer.content


def multi_frame():
    pixels = np.random.default_rng(2).integers(0, 4000, (4, 8, 8)).astype(np.uint16)
    dataset = enhanced(pixels, [(0.0, 0.0, 5.0 * index) for index in range(4)])
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.9", "1.2.9.1", "1.2.9.1.1"
    dataset.PatientID = "P9"
    return dataset, pixels


def test_frames_of_a_multi_frame_instance(viewer):
    dataset, pixels = multi_frame()
    receive_bytes(encoded(dataset))

    several = viewer.get(f"{address(dataset)}/frames/4,2", headers={"accept": FRAMES})
    single = viewer.get(f"{address(dataset)}/frames/3", headers={"accept": "application/octet-stream"})
    beyond = viewer.get(f"{address(dataset)}/frames/5")

    assert parts_of(several) == [pixels[3].tobytes(), pixels[1].tobytes()]
    assert (single["Content-Type"], single.content) == ("application/octet-stream", pixels[2].tobytes())
    assert beyond.status_code == 404


def of_bits(shape: tuple[int, int, int]):
    """An instance whose frames are of single bits, as a binary segmentation's are; and the bits."""
    bits = np.random.default_rng(3).integers(0, 2, shape).astype(np.uint8)
    dataset = series(1)[0]
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = shape
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = pack_bits(bits)
    return dataset, bits


def compress_bits(dataset, bits: np.ndarray) -> None:
    frames = [encode_array(frame, bits_stored=1, photometric_interpretation=2) for frame in bits]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


@pytest.mark.parametrize(
    ("shape", "syntax", "count"),
    [
        ((3, 8, 8), ExplicitVRLittleEndian, 8),
        ((3, 5, 5), ExplicitVRLittleEndian, 4),
        ((2, 182, 218), ImplicitVRLittleEndian, 4960),
        ((3, 5, 5), DeflatedExplicitVRLittleEndian, 4),
        ((3, 65, 67), JPEG2000Lossless, 545),
    ],
)
def test_a_frame_of_single_bits_comes_packed_from_its_first_byte_on(shape, syntax, count, viewer):
    dataset, bits = of_bits(shape)
    if syntax == JPEG2000Lossless:
        compress_bits(dataset, bits)
    receive_bytes(encoded(dataset, syntax=syntax))

    answer = viewer.get(f"{address(dataset)}/frames/2", headers={"accept": "application/octet-stream"})

    assert (answer.status_code, len(answer.content)) == (200, count)
    assert answer.content == np.packbits(bits[1], bitorder="little").tobytes()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_single_bits_go_on_from_frame_to_frame_in_bulk_data(syntax, viewer):
    dataset, bits = of_bits((3, 5, 5))
    receive_bytes(encoded(dataset, syntax=syntax))

    answer = viewer.get(f"{address(dataset)}/bulkdata/7FE00010", headers={"accept": "application/octet-stream"})

    assert answer.content == np.packbits(bits, bitorder="little").tobytes()


def test_single_bits_are_packed_frame_behind_frame_in_an_instance_that_is_decoded(viewer):
    dataset, bits = of_bits((3, 65, 67))
    compress_bits(dataset, bits)
    receive_bytes(encoded(dataset, syntax=JPEG2000Lossless))

    answer = viewer.get(address(dataset), headers={"accept": "application/dicom"})

    decoded = dcmread(BytesIO(answer.content))
    assert decoded.PixelData == np.packbits(bits, bitorder="little").tobytes()
    assert decoded.pixel_array.tolist() == bits.tolist()


def test_frames_are_immutable_and_private(viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    first = viewer.get(f"{address(dataset)}/frames/1")
    again = viewer.get(f"{address(dataset)}/frames/1", headers={"if-none-match": first["ETag"]})

    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("what", "forms"),
    [
        ("", ["application/dicom", INSTANCES, f"{INSTANCES}; transfer-syntax=*"]),
        ("/frames/1", ["application/octet-stream", FRAMES]),
        ("/bulkdata/7FE00010", ["application/octet-stream", FRAMES]),
        ("/rendered", ["image/jpeg", "image/png"]),
        ("/thumbnail", ["image/jpeg", "image/png"]),
    ],
)
def test_each_form_of_a_resource_has_a_name_of_its_own_and_caches_are_told_what_decides(what, forms, viewer):
    dataset = series(1)[0]
    receive_bytes(encoded(dataset))
    place = f"{address(dataset)}{what}"

    answers = {form: viewer.get(place, headers={"accept": form}) for form in forms}
    again = {
        (form, had): viewer.get(place, headers={"accept": form, "if-none-match": answers[had]["ETag"]})
        for form in forms
        for had in forms
    }

    assert len({answer["ETag"] for answer in answers.values()}) == len(forms)
    assert {pair: one.status_code for pair, one in again.items()} == {
        (form, had): 304 if form == had else 200 for form in forms for had in forms
    }
    assert {one["Vary"] for one in [*answers.values(), *again.values()]} == {"Accept, Cookie"}


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "part"),
    [
        ("bytes=0-9", 206, "bytes 0-9/512", slice(0, 10)),
        ("bytes=500-", 206, "bytes 500-511/512", slice(500, 512)),
        ("bytes=510-9999", 206, "bytes 510-511/512", slice(510, 512)),
        ("bytes=-12", 206, "bytes 500-511/512", slice(500, 512)),
        ("bytes=512-", 416, "bytes */512", slice(0, 0)),
        ("bytes=-0", 416, "bytes */512", slice(0, 0)),
        ("bytes=0-1,4-5", 200, None, slice(0, 512)),
        ("lines=0-1", 200, None, slice(0, 512)),
    ],
)
def test_a_range_of_a_frame_is_answered_by_itself(asked, status, content_range, part, viewer):
    dataset = series(1)[0]
    receive_series([dataset])
    headers = {"accept": "application/octet-stream", "range": asked}

    answer = viewer.get(f"{address(dataset)}/frames/1", headers=headers)
    changed = viewer.get(f"{address(dataset)}/frames/1", headers=headers | {"if-range": '"another"'})

    assert (answer.status_code, answer.get("Content-Range")) == (status, content_range)
    assert (answer.content, answer["Accept-Ranges"]) == (dataset.PixelData[part], "bytes")
    assert answer["Vary"] == "Accept, Cookie"
    assert (changed.status_code, changed.content) == (200, dataset.PixelData)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (FRAMES, 200),
        ("*/*", 200),
        ('multipart/related; type="application/octet-stream"', 200),
        ('multipart/related; type="image/jls", multipart/related; type="application/octet-stream"', 200),
        ('multipart/related; type="image/jls"', 406),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.5', 406),
        ("text/html", 406),
    ],
)
def test_what_frames_can_be_had_as(accept, status, viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    assert viewer.get(f"{address(dataset)}/frames/1", headers={"accept": accept}).status_code == status


@pytest.mark.parametrize("frames", ["0", "x", "1,,2", "-1", "99999999"])
def test_numbers_that_are_no_frames(frames, viewer):
    dataset = series(1)[0]
    receive_series([dataset])

    assert viewer.get(f"{address(dataset)}/frames/{frames}").status_code in {404, 422}


def test_pixels_that_do_not_fill_their_frame_are_refused(viewer):
    dataset = series(1, Rows=500, Columns=500)[0]
    receive_series([dataset])

    answer = viewer.get(f"{address(dataset)}/frames/1")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


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


# --- instances and headers --------------------------------------------------------------------------------------------


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


# --- access -----------------------------------------------------------------------------------------------------------


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


# --- searching --------------------------------------------------------------------------------------------------------


def found(client: Client, path: str) -> set[str]:
    answer = client.get(f"/dicom-web/{path}")
    return {one["0020000D"]["Value"][0] for one in answer.json()} if answer.status_code == 200 else set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "AB"),
        ("PatientID=P1", "A"),
        ("00100020=P2", "B"),
        ("PatientName=novak^ana", "A"),
        ("PatientName=nov*", "A"),
        ("PatientName=*^?ojca", "B"),
        ("PatientName=nov", ""),
        ("StudyDate=20240203", "A"),
        ("StudyDate=20200101-20231231", "B"),
        ("StudyDate=20240101-", "A"),
        ("StudyDate=-20231231", "B"),
        ("ModalitiesInStudy=MR", "AB"),
        ("ModalitiesInStudy=CT", ""),
        ("AccessionNumber=A.17", ""),
        ("limit=1", "B"),
        ("limit=1&offset=1", "A"),
        ("includefield=all&fuzzymatching=true", "AB"),
        ("fuzzymatching=true&PatientName=ANA nov", "A"),
        ("fuzzymatching=true&PatientName=mójca*", "B"),
        ("fuzzymatching=true&PatientName=ovak", ""),
        ("fuzzymatching=false&PatientName=nov", ""),
    ],
)
def test_searching_for_studies(query, expected, viewer):
    studies = {"A": series(2), "B": series(2, patient_id="P2", PatientName="Kos^Mojca", StudyDate="20220101")}
    for datasets in studies.values():
        receive_series(datasets)

    assert found(viewer, f"studies?{query}") == {studies[name][0].StudyInstanceUID for name in expected}


@pytest.mark.parametrize("query", ["Nonsense=1", "StudyDate=yesterday", "limit=-1", "limit=x", "StudyTime=10"])
def test_a_query_that_cannot_be_answered_is_refused(query, viewer):
    assert viewer.get(f"/dicom-web/studies?{query}").status_code == 422


def test_a_study_is_described(viewer):
    datasets = series(3, PatientName="Yamada^Tarou=山田^太郎", SpecificCharacterSet="ISO_IR 192")
    receive_series(datasets)
    receive_series(series(2, study_uid=datasets[0].StudyInstanceUID, **T1))

    (study,) = viewer.get("/dicom-web/studies").json()

    assert study["00100010"]["Value"] == [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]
    assert (study["00080020"]["Value"], study["00080030"]["Value"]) == (["20240203"], ["101112"])
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([2], [5])
    assert study["00080061"]["Value"] == ["MR"]
    assert study["00081190"]["Value"] == [f"http://testserver/dicom-web/studies/{datasets[0].StudyInstanceUID}"]


@pytest.mark.parametrize("name", ["ModalitiesInStudy", "00080061"])
def test_modalities_of_the_study_are_matched_and_told_at_every_level(name, viewer):
    datasets = series(2)
    receive_series([*datasets, *series(1, study_uid=datasets[0].StudyInstanceUID, Modality="SR")])
    receive_series(series(1, patient_id="P2"))
    of_study = f"studies/{datasets[0].StudyInstanceUID}"
    of_series = f"{of_study}/series/{datasets[0].SeriesInstanceUID}"
    places = ["studies", "series", "instances", f"{of_study}/series", f"{of_study}/instances", f"{of_series}/instances"]

    told = [viewer.get(f"/dicom-web/{place}?{name}=S*").json() for place in places]

    assert [len(one) for one in told] == [1, 2, 3, 2, 3, 2]
    assert [one["0020000D"]["Value"] for each in told for one in each] == [[datasets[0].StudyInstanceUID]] * 13
    assert [one["00080061"] for each in told for one in each] == [{"vr": "CS", "Value": ["MR", "SR"]}] * 13
    assert [viewer.get(f"/dicom-web/{place}?{name}=CT").status_code for place in places] == [204] * 6
    assert [len(viewer.get(f"/dicom-web/{place}?{name}=").json()) for place in places] == [2, 3, 4, 2, 3, 2]


def test_more_results_than_asked_for_are_announced(viewer):
    receive_series(series(3))

    answer = viewer.get("/dicom-web/instances?limit=2")

    assert len(answer.json()) == 2
    assert answer["Warning"] == '299 plaqueview "there are more results; ask again with limit and offset"'


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

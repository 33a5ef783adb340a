"""WADO-RS metadata: each header as DICOM JSON, whatever its neighbours in the series say."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.pacs.wado import address
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

DESCRIPTION = Tag(0x00081030)
# What the server says by itself: the character set of JSON, the stored transfer syntax, where the pixels are.
GIVEN = ("00080005", "00083002", "7FE00010")


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def without(header: dict[str, Any], *tags: str) -> dict[str, Any]:
    return {tag: element for tag, element in header.items() if tag not in tags}


def test_metadata_is_the_header_without_pixels(viewer):
    datasets = series(3, RescaleSlope="1.5", PatientName="Žagar^Ana", SpecificCharacterSet="ISO_IR 192")
    datasets[0].add_new(0x00291010, "OB", b"\1" * 5000)
    receive_series(datasets)
    path = address(datasets[0]).partition("/instances")[0]

    answer = viewer.get(f"{path}/metadata", headers={"accept": "application/dicom+json"})
    again = viewer.get(f"{path}/metadata")

    body = answer.json()
    assert (answer["Content-Type"], len(body)) == ("application/dicom+json", 3)
    assert [one["00080018"]["Value"][0] for one in body] == [dataset.SOPInstanceUID for dataset in datasets]
    assert body[0]["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Žagar^Ana"}]}
    assert body[0]["00281053"]["Value"] == [1.5]
    assert body[0]["00083002"]["Value"] == [ExplicitVRLittleEndian]
    at = f"http://testserver{address(datasets[0])}/bulkdata"
    assert body[0]["7FE00010"] == {"vr": "OW", "BulkDataURI": f"{at}/7FE00010"}
    assert body[0]["00291010"] == {"vr": "OB", "BulkDataURI": f"{at}/00291010"}
    assert again.content == answer.content


def test_metadata_of_bytes_that_mean_something_else_in_each_slice(viewer):
    """Slices of one series are described together, and yet each as its own file says."""
    datasets = series(6)
    for dataset, character_set in zip(datasets[:3], ("ISO_IR 100", "ISO_IR 101", "ISO_IR 144"), strict=True):
        dataset.SpecificCharacterSet = character_set
        dataset[DESCRIPTION] = RawDataElement(DESCRIPTION, "LO", 2, b"\xbe\xbe", 0, False, True)
    for dataset, creator in ((datasets[3], "SIEMENS MR HEADER"), (datasets[4], "NOBODY KNOWS")):
        dataset.private_block(0x0019, creator, create=True).add_new(0x0A, "UN", b"12")
    datasets[3].PixelRepresentation, datasets[3].SmallestImagePixelValue = 0, 65535
    datasets[4].PixelRepresentation, datasets[4].SmallestImagePixelValue = 1, -1
    contents = [encoded(dataset) for dataset in datasets[:3]]
    contents += [encoded(dataset, syntax=ImplicitVRLittleEndian) for dataset in datasets[3:]]
    receive_bytes(*contents)
    path = address(datasets[0]).partition("/instances")[0]

    together = {one["00080018"]["Value"][0]: one for one in viewer.get(f"{path}/metadata").json()}

    descriptions = [together[one.SOPInstanceUID]["00081030"]["Value"] for one in datasets[:3]]
    assert descriptions == [["¾¾"], ["žž"], ["\u041e\u041e"]]
    smallest = [together[one.SOPInstanceUID]["00280106"] for one in datasets[3:5]]
    assert smallest == [{"vr": "US", "Value": [65535]}, {"vr": "SS", "Value": [-1]}]
    private = [together[one.SOPInstanceUID]["0019100A"] for one in datasets[3:5]]
    assert private == [{"vr": "US", "Value": [12849]}, {"vr": "UN", "InlineBinary": "MTI="}]
    for dataset, content in zip(datasets, contents, strict=True):
        alone = dcmread(BytesIO(content), stop_before_pixels=True).to_json_dict()
        assert without(together[dataset.SOPInstanceUID], *GIVEN) == without(alone, *GIVEN)


def test_metadata_with_a_number_that_json_has_not(viewer):
    dataset = series(1)[0]
    dataset[Tag(0x00281053)] = RawDataElement(Tag(0x00281053), "DS", 4, b"NaN ", 0, False, True)
    receive_bytes(encoded(dataset))

    (body,) = json.loads(viewer.get(f"{address(dataset)}/metadata").content)

    assert body["00080018"]["Value"] == [dataset.SOPInstanceUID]
    assert body.get("00281053", {}).get("Value") in (None, [None])


def test_one_value_that_json_has_not_takes_nothing_with_it(viewer):
    """Neither its neighbours in an item, nor the other items."""
    dataset, bad, good = series(1)[0], Dataset(), Dataset()
    bad.StageNumber, bad.SliceThickness = "98765 ", "1.5"
    good.SliceThickness = "2.5"
    dataset.PerFrameFunctionalGroupsSequence = [bad, good]
    dataset.ReferencedStudySequence = []
    receive_bytes(encoded(dataset).replace(b"98765 ", b"ninety"))

    (body,) = viewer.get(f"{address(dataset)}/metadata").json()

    assert body["52009230"] == {
        "vr": "SQ",
        "Value": [{"00180050": {"vr": "DS", "Value": [1.5]}}, {"00180050": {"vr": "DS", "Value": [2.5]}}],
    }
    assert body["00081110"] == {"vr": "SQ"}


def test_an_empty_value_among_others_keeps_their_places(viewer):
    dataset, item = series(1, OperatorsName=["A^B", "", "C=D"], ImageType=["ORIGINAL", "", "M"])[0], Dataset()
    item.OperatorsName = ["A^B", ""]
    dataset.RequestAttributesSequence, dataset.ReferringPhysicianName = [item], ""
    receive_bytes(encoded(dataset))

    (body,) = viewer.get(f"{address(dataset)}/metadata").json()

    names = [{"Alphabetic": "A^B"}, None, {"Alphabetic": "C", "Ideographic": "D"}]
    assert body["00081070"] == {"vr": "PN", "Value": names}
    assert body["00400275"]["Value"] == [{"00081070": {"vr": "PN", "Value": names[:2]}}]
    assert body["00080008"] == {"vr": "CS", "Value": ["ORIGINAL", None, "M"]}
    assert body["00080090"] == {"vr": "PN"}

"""Rendered frames and thumbnails: what is black, what is white, how large, and in which format."""

from io import BytesIO

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pydicom.uid import RLELossless

from plaqueview.core.access import Role
from tests.accounts.people import make_user, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.wado import address, multi_frame, parts_of
from tests.studies.dicom_files import encoded, receive_bytes, receive_series, series

pytestmark = pytest.mark.django_db

PNG = {"accept": "image/png"}


@pytest.fixture
def viewer() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def shown(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.content
    return np.array(Image.open(BytesIO(answer.content)))


def ramp(**attributes):
    """Sixteen columns of 0, 100, ... 1500."""
    dataset = series(1)[0]
    set_pixels(dataset, np.tile(np.arange(16, dtype=np.uint16) * 100, (8, 1)))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("attributes", "query", "expected"),
    [
        # black, and white, from the first to the last column; the one in the middle as the standard's formula has it
        ({"WindowCenter": 500, "WindowWidth": 400}, "", {3: 0, 5: 128, 7: 255}),
        ({"WindowCenter": 500, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"}, "", {3: 30, 5: 128, 7: 225}),
        ({"WindowCenter": 500, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}, "", {4: 0, 5: 128, 6: 255}),
        ({"WindowCenter": 500, "WindowWidth": 4, "VOILUTFunction": "LINEAR"}, "", {4: 0, 5: 170, 6: 255}),
        ({}, "?window=500,400", {3: 0, 5: 128, 7: 255}),
        ({}, "?window=500,400,linear-exact", {3: 0, 5: 128, 7: 255}),
        ({}, "?window=500,400,sigmoid", {3: 30, 5: 128, 7: 225}),
        ({"RescaleSlope": 2, "RescaleIntercept": -1000}, "?window=0,400,linear-exact", {4: 0, 5: 128, 6: 255}),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "?window=500,400,linear-exact", {3: 255, 5: 127, 7: 0}),
    ],
)
def test_a_frame_is_rendered_through_its_rescale_and_window(attributes, query, expected, viewer):
    dataset = ramp(**attributes)
    receive_series([dataset])

    picture = shown(viewer.get(f"{address(dataset)}/rendered{query}", headers=PNG))

    assert picture.shape == (8, 16)
    assert {column: int(picture[0, column]) for column in expected} == pytest.approx(expected, abs=1)


def test_the_format_is_what_is_accepted_and_the_size_fits_into_the_viewport(viewer):
    dataset = ramp()
    dataset.compress(RLELossless, generate_instance_uid=False)
    receive_bytes(encoded(dataset, syntax=RLELossless))

    usual = viewer.get(f"{address(dataset)}/frames/1/rendered?viewport=100,100&quality=50")
    again = viewer.get(
        f"{address(dataset)}/frames/1/rendered?viewport=100,100&quality=50", headers={"if-none-match": usual["ETag"]}
    )
    thumbnail = viewer.get(f"{address(dataset)}/thumbnail", headers={"accept": "image/png, image/jpeg"})

    assert (usual["Content-Type"], shown(usual).shape) == ("image/jpeg", (50, 100))
    assert usual["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")
    assert (thumbnail["Content-Type"], shown(thumbnail).shape) == ("image/png", (64, 128))


def test_a_series_is_rendered_frame_by_frame_and_its_thumbnail_is_the_middle(viewer):
    dataset, pixels = multi_frame()
    receive_bytes(encoded(dataset))
    root = address(dataset).rpartition("/instances")[0]
    study = root.rpartition("/series")[0]

    whole = viewer.get(f"{root}/rendered", headers={"accept": 'multipart/related; type="image/png"'})
    some = viewer.get(f"{address(dataset)}/frames/3,1/rendered", headers=PNG)
    thumbnails = [viewer.get(f"{place}/thumbnail?viewport=8,8", headers=PNG) for place in (study, root)]

    every = [np.array(Image.open(BytesIO(part))) for part in parts_of(whole)]
    assert whole["Content-Type"].startswith('multipart/related; type="image/png"; boundary=')
    assert len(every) == len(pixels)
    assert [np.array(Image.open(BytesIO(part))).tolist() for part in parts_of(some)] == [
        every[2].tolist(), every[0].tolist(),
    ]  # fmt: skip
    assert [shown(one).tolist() for one in thumbnails] == [every[2].tolist()] * 2


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("rendered", "image/gif", 406),
        ("rendered?window=1", "*/*", 422),
        ("rendered?window=1,0", "*/*", 422),
        ("rendered?window=nan,1", "*/*", 422),
        ("rendered?window=1,2,cubic", "*/*", 422),
        ("rendered?viewport=0,5", "*/*", 422),
        ("rendered?viewport=99999,5", "*/*", 422),
        ("rendered?quality=101", "*/*", 422),
        ("rendered?annotation=patient", "*/*", 422),
        ("frames/2/rendered", "*/*", 404),
        ("frames/x/thumbnail", "*/*", 422),
    ],
)
def test_what_cannot_be_rendered_is_refused(path, accept, status, viewer):
    dataset = ramp()
    receive_series([dataset])

    assert viewer.get(f"{address(dataset)}/{path}", headers={"accept": accept}).status_code == status


def test_what_has_no_pixels_or_lies_about_them_is_no_picture(viewer):
    without, short = ramp(), ramp(PixelData=bytes(10))
    del without.PixelData, without.Rows
    receive_series([without])
    receive_series([short])

    answers = [viewer.get(f"{address(one)}/{kind}") for one in (without, short) for kind in ("rendered", "thumbnail")]

    assert [one.status_code for one in answers] == [406, 406, 422, 422]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_in_the_place_of_a_picture_that_cannot_be_made_stands_why_and_the_others_come(broken, viewer):
    datasets = series(3)
    datasets[broken].PixelData = bytes(10)
    receive_series(datasets)
    path = address(datasets[0]).partition("/instances")[0]

    answer = viewer.get(f"{path}/rendered", headers={"accept": 'multipart/related; type="image/png"'})
    content = answer.getvalue()

    parts = content.split(b"--" + answer["Content-Type"].partition("boundary=")[2].encode())[1:]
    types = [part.partition(b"\r\n\r\n")[0] for part in parts]
    assert (answer.status_code, parts[-1]) == (200, b"--\r\n")
    assert types[:-1] == [
        b"\r\nContent-Type: text/plain; charset=utf-8" if place == broken else b"\r\nContent-Type: image/png"
        for place in range(3)
    ]
    assert b"frame 1 cannot be rendered: " in parts[broken]


def test_of_a_series_without_any_picture_it_is_said_why(viewer):
    datasets = series(2)
    for dataset in datasets:
        dataset.PixelData = bytes(10)
    receive_series(datasets)

    answer = viewer.get(f"{address(datasets[0]).partition('/instances')[0]}/rendered")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")

"""What odd, lying and corrupt files come to: at the door, as a frame and as a volume; and the server serves on.

What is no DICOM at all is in tests/studies/test_hostile_files.py, zip files in tests/studies/test_uploads.py.
"""

import struct
from collections.abc import Callable
from queue import LifoQueue
from uuid import UUID

import numpy as np
import pytest
from django.test import Client
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from plaqueview.core.access import Role
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.studies.models import Instance, Study
from plaqueview.studies.pixels import PixelsError, decode_frame
from plaqueview.studies.settling import settle
from plaqueview.studies.volumes import load_volume
from tests.accounts.people import make_user, token_client
from tests.imaging.phantoms import set_pixels
from tests.pacs.test_stow import body_of, post
from tests.pacs.wado import address, multi_frame
from tests.studies.dicom_files import encoded, series

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:::pydicom")]


@pytest.fixture
def client() -> Client:
    return token_client(make_user(Role.NEUROLOGIST))


def only(pixels: np.ndarray, **attributes) -> Dataset:
    """A series of one slice that shows the pixels."""
    dataset = series(1, SpacingBetweenSlices=5.0)[0]
    set_pixels(dataset, pixels)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def plain(side: int = 16, dtype: str = "<u2") -> np.ndarray:
    return np.arange(side * side, dtype=dtype).reshape(side, side)


def compressed(dataset: Dataset, syntax: str) -> bytes:
    dataset.compress(syntax, generate_instance_uid=False)
    return encoded(dataset, syntax=syntax)


def lying_jpeg_2000() -> tuple[Dataset, bytes]:
    """Its code stream says 60,000 x 60,000 where the header says 64 x 64. Source: ISO/IEC 15444-1 A.5.1, SIZ."""
    dataset = only(plain(64))
    content = bytearray(compressed(dataset, JPEG2000Lossless))
    place = content.index(b"\xff\x4f\xff\x51") + 8
    content[place : place + 8] = struct.pack(">LL", 60_000, 60_000)
    return dataset, bytes(content)


def lying_run_lengths() -> tuple[Dataset, bytes]:
    """Two KB that announce a frame of 8 GiB."""
    dataset = only(plain())
    compressed(dataset, RLELossless)
    dataset.Rows = dataset.Columns = 65_535
    return native(dataset, RLELossless)


def multi() -> tuple[Dataset, bytes]:
    dataset, _pixels = multi_frame()
    return dataset, encoded(dataset)


def native(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> tuple[Dataset, bytes]:
    return dataset, encoded(dataset, syntax=syntax)


def nan_slope() -> tuple[Dataset, bytes]:
    dataset = only(plain(), RescaleSlope="1.0", RescaleIntercept="0")
    return dataset, encoded(dataset).replace(b"DS\x04\x001.0 ", b"DS\x04\x00NaN ")


def padded(count: int) -> Dataset:
    return only(plain(), PixelData=plain().tobytes() + bytes(count))


def without(keyword: str) -> tuple[Dataset, bytes]:
    dataset = only(plain())
    delattr(dataset, keyword)
    return native(dataset)


# The file; its first frame as served, None where it cannot be had (422); why it is no volume, nothing where it is one.
FILES: dict[str, tuple[Callable[[], tuple[Dataset, bytes]], bytes | None, str]] = {
    "4096 x 4096": (lambda: native(only(plain(4096))), plain(4096).tobytes(), ""),
    "1 x 1": (lambda: native(only(plain(1))), plain(1).tobytes(), ""),
    "signed pixels": (lambda: native(only(plain(dtype="<i2") - 99)), (plain(dtype="<i2") - 99).tobytes(), ""),
    "MONOCHROME1": (lambda: native(only(plain(), PhotometricInterpretation="MONOCHROME1")), plain().tobytes(), ""),
    "big endian": (lambda: native(only(plain(dtype=">u2")), ExplicitVRBigEndian), plain().tobytes(), ""),
    "deflated": (lambda: native(only(plain()), DeflatedExplicitVRLittleEndian), plain().tobytes(), ""),
    "Enhanced multi-frame": (multi, multi_frame()[1][0].tobytes(), ""),
    "a slope that is no number": (nan_slope, plain().tobytes(), "RescaleSlope that is no finite number"),
    "another modality": (lambda: native(only(plain(), Modality="CT")), plain().tobytes(), "has no images"),
    "no pixel data": (lambda: without("PixelData"), None, "has no pixel data"),
    "no rows": (lambda: without("Rows"), None, "has no images"),
    "pixels longer than the frame": (lambda: native(padded(100)), plain().tobytes(), ""),
    "two frames where one is announced": (lambda: native(padded(512)), plain().tobytes(), "its header says"),
    "pixels shorter than the frame": (lambda: native(only(plain(), PixelData=bytes(100))), None, "cannot be decoded"),
    "absurd rows and columns": (lambda: native(only(plain(), Rows=65_535, Columns=65_535)), None, "4294836225 voxels"),
    "a frame of 8 GiB in 2 KB": (lying_run_lengths, None, "4294836225 voxels"),
    "a code stream of 7 GiB in 8 KB": (lying_jpeg_2000, None, "cannot be decoded"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_odd_file_is_kept_once_served_or_refused_and_the_next_one_served(name, client):
    make, frame, words = FILES[name]
    dataset, content = make()
    neighbour = series(1)[0]

    stored = [post(client, body_of(*contents)).status_code for contents in ([content], [content, encoded(neighbour)])]
    answer = client.get(f"{address(dataset)}/frames/1", headers={"accept": "application/octet-stream"})
    kept = Instance.objects.get(sop_instance_uid=dataset.SOPInstanceUID)

    assert stored == [200, 200]
    assert answer.status_code == (422 if frame is None else 200)
    assert frame is None or answer.content == frame
    assert words in (found := why_no_volume(kept.series_id))
    assert bool(words) == bool(found)
    assert client.get(f"{address(neighbour)}/frames/1").status_code == 200


def why_no_volume(series_id: UUID) -> str:
    try:
        load_volume(series_id)
    except SeriesReadError as error:
        return str(error)
    return ""


def test_two_geometries_in_one_series_are_kept_and_the_study_says_why_it_is_not_read(client):
    first = series(4)
    others = series(4, study_uid=first[0].StudyInstanceUID, side=32)
    for dataset in others:
        dataset.SeriesInstanceUID = first[0].SeriesInstanceUID

    answer = post(client, body_of(*map(encoded, [*first, *others])))
    study = Study.objects.get()
    settle(study.pk)
    study.refresh_from_db()

    assert (answer.status_code, study.instance_count, study.state) == (200, 8, "incomplete")
    assert {"16", "32"} <= set(study.state_reason.replace("x", " ").replace(",", " ").split()), study.state_reason


def test_a_decoder_that_dies_takes_no_other_along(client, monkeypatch):
    post(client, body_of(compressed(only(plain()), RLELossless)))
    kept = Instance.objects.get()

    with monkeypatch.context() as patch:
        patch.setattr("plaqueview.studies.pixels.COMMAND", ["false"])
        patch.setattr("plaqueview.studies.pixels._idle", LifoQueue())
        with pytest.raises(PixelsError, match="did not survive"):
            decode_frame(kept, 1)

    assert decode_frame(kept, 1) == plain().tobytes()

"""The picture shows the slice, its plaques and a legend, and says that it is no original."""

import shutil
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from plaqueview.imaging.dicom_document import COLORS, encode
from plaqueview.imaging.dicom_read import read_volume
from plaqueview.imaging.dicom_source import DocumentError, source_series
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.overlay_picture import LegendEntry, draw, size_of
from plaqueview.imaging.secondary_capture import Slices, captures_of
from plaqueview.imaging.windowing import Window
from tests.imaging.documents import approved, datasets, dciodvfy_errors, labels, source, stamp, table

ACTIVE, INACTIVE = COLORS[LesionClass.ACTIVE], COLORS[LesionClass.INACTIVE]


def slices(**changes) -> Slices:
    found = table()
    volume = read_volume(datasets(**changes)).volume
    return Slices(volume, labels().voxels, Window(3.0, 6.0), found.counts(), found.counts_by_slice())


def written(stamp_, **changes) -> list[bytes]:
    series = source_series(datasets(**changes))
    return [encode(capture, stamp_) for capture in captures_of(slices(**changes), series, stamp_)]


def is_color(pixels, color) -> np.ndarray:
    return (pixels == np.array(color, np.uint8)).all(axis=-1)


def test_there_is_one_capture_a_slice_in_slice_order_each_naming_its_source():
    captures = [dcmread(BytesIO(content)) for content in written(stamp())]

    assert {capture.SOPClassUID for capture in captures} == {SecondaryCaptureImageStorage}
    assert [capture.InstanceNumber for capture in captures] == [1, 2, 3, 4, 5, 6]
    assert [capture.SourceImageSequence[0].ReferencedSOPInstanceUID for capture in captures] == list(
        source().sop_instance_uids
    )
    assert len({capture.SOPInstanceUID for capture in captures}) == 6
    assert {capture.SeriesDescription for capture in captures} == {"DRAFT MS plaques burned in, version 3"}
    assert captures[0].PatientOrientation == ["L", "P"]
    assert captures[0].PixelSpacing == [0.0625, 0.0625]


def test_the_grey_of_the_slice_shows_beside_its_plaques_in_the_colour_of_their_class():
    capture = dcmread(BytesIO(written(stamp())[3]))

    zoom = size_of((32, 32))[1] // 32
    picture = capture.pixel_array[: 32 * zoom]
    marks = labels().voxels[3].repeat(zoom, axis=0).repeat(zoom, axis=1)
    assert zoom == 16
    np.testing.assert_array_equal(np.unique(marks[is_color(picture, ACTIVE)]), [2])
    np.testing.assert_array_equal(np.unique(marks[is_color(picture, INACTIVE)]), [1])
    np.testing.assert_array_equal(np.unique(picture[marks == 0]), [128])


def test_voxels_taller_than_wide_are_drawn_so_that_no_viewer_has_to_stretch_them():
    capture = dcmread(BytesIO(written(stamp(), PixelSpacing=[1.0, 0.5])[3]))

    assert capture.PixelSpacing == [0.03125, 0.03125]
    assert (capture.Columns, capture.Rows > 1024) == (512, True)
    assert (capture.pixel_array[:1024] == 128).all(axis=-1).mean() > 0.8


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "size"),
    [
        ((256, 256), (0.9, 0.9), (512, 512)),
        ((512, 600), (0.5, 0.5), (512, 600)),
        ((168, 328), (1.4, 0.7), (672, 656)),
        ((336, 164), (0.7, 1.4), (672, 656)),
        ((300, 512), (0.75, 0.5), (450, 512)),
        ((10, 512), (100.0, 0.001), (80, 512)),
    ],
)
def test_a_pixel_of_the_picture_is_as_tall_as_it_is_wide(shape, spacing_mm, size):
    assert size_of(shape, spacing_mm) == size

    marks = np.zeros(shape, np.uint8)
    marks[shape[0] // 2 :, shape[1] // 2 :] = 2
    picture = draw(np.zeros(shape, np.uint8), marks, spacing_mm=spacing_mm, legend=[], colors=COLORS)
    rows, columns = np.nonzero(is_color(picture[: size[0]], ACTIVE))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (
        size[0] // 2,
        size[0] - 1,
        size[1] // 2,
        size[1] - 1,
    )


def test_an_active_plaque_is_hatched_so_that_colour_is_not_alone():
    marks = np.zeros((512, 512), np.uint8)
    marks[100:200, 100:200], marks[300:400, 300:400] = 1, 2

    picture = draw(np.zeros((512, 512), np.uint8), marks, legend=[], colors=COLORS)

    assert is_color(picture, INACTIVE)[110:190, 110:190].sum() == 0
    assert is_color(picture, ACTIVE)[310:390, 310:390].sum() > 80 * 80 / 7


def test_the_legend_lies_below_the_slice_and_keeps_to_its_width():
    words = "a legend that has a great many words, more than fit into one line of a picture 512 wide " * 3

    picture = draw(
        np.zeros((512, 512), np.uint8),
        np.zeros((512, 512), np.uint8),
        legend=[LegendEntry(words + "x" * 200)],
        colors=COLORS,
    )

    assert (picture[:512] == 0).all()
    assert (picture[512:] > 0).any()
    assert (picture[:, -4:] == 0).all()


@pytest.mark.parametrize(("found", "written_"), [("YES", "YES"), ("NO", "NO")])
def test_burned_in_annotation_is_what_the_source_says_since_the_legend_names_no_patient(found, written_):
    capture = dcmread(BytesIO(written(stamp(), BurnedInAnnotation=found)[0]))

    assert capture.BurnedInAnnotation == written_


def test_burned_in_annotation_is_unknown_where_the_source_says_nothing():
    assert "BurnedInAnnotation" not in dcmread(BytesIO(written(stamp())[0]))


def test_what_the_source_lost_to_compression_is_told_with_how_and_how_much():
    lossy = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": 8.5,
        "LossyImageCompressionMethod": "ISO_10918_1",
    }
    capture, clean = (dcmread(BytesIO(written(stamp(), **attributes)[0])) for attributes in (lossy, {}))

    assert {keyword: capture[keyword].value for keyword in lossy} == lossy
    assert clean.LossyImageCompression == "00"
    assert "LossyImageCompressionRatio" not in clean


def test_the_same_version_gives_the_same_bytes():
    assert written(approved()) == written(approved())


def test_slices_of_another_grid_are_refused():
    other = slices()
    other = Slices(
        labels().with_voxels(labels().voxels), other.labels, other.window, other.counts, other.counts_by_slice
    )

    with pytest.raises(DocumentError, match="on another grid"):
        list(captures_of(other, source_series(shifted()), stamp()))


def shifted():
    found = datasets()
    for dataset in found:
        dataset.ImagePositionPatient[0] += 5.0
    return found


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy of dicom3tools is not installed")
@pytest.mark.parametrize("stamp_", [stamp(), approved()])
def test_dciodvfy_finds_no_error(tmp_path, stamp_):
    for index, content in enumerate(written(stamp_)):
        path = tmp_path / f"{index}.dcm"
        path.write_bytes(content)
        assert dciodvfy_errors(path) == []

"""What a figure shows are the numbers that it was given; what it says is what it is for."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="needs the extra 'training'")

from matplotlib.text import Text

from inference_worker.calibration import Calibration
from inference_worker.paper_table import PAPER_METRICS, paper_rows
from inference_worker.plots.calibration_curve import draw_calibration
from inference_worker.plots.radar import draw_radar, lowest_ring
from inference_worker.plots.slices import head_box
from inference_worker.plots.style import COLOURS, PIXELS_PER_INCH, looks, new_figure, write_figure
from inference_worker.plots.triptychs import Triptych, broken, choose_rows, draw_triptychs

OURS = {"first": dict.fromkeys(PAPER_METRICS, 0.75), "second": dict.fromkeys(PAPER_METRICS, 0.5)}


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(Text))


def triptych(study, volume_ml, label=3):
    flair = np.full((40, 30), 100.0, np.float32)
    labels = np.zeros((40, 30), np.uint8)
    labels[10:14, 10:14] = label
    return Triptych(study, 4, (1.0, 2.0), volume_ml, flair, labels, {"first": labels // 2}, {"first": 0.125})


def test_the_radar_draws_the_table_s_values():
    figure = draw_radar({"ours": OURS, "paper": paper_rows()}, caption="Data: phantoms.")

    ours, paper = figure.subfigs[0].axes
    drawn = [line.get_ydata().tolist() for line in (*ours.lines, *paper.lines)]
    expected = [list(row.values()) for row in (*OURS.values(), *paper_rows().values())]
    assert drawn == [[*row, row[0]] for row in expected]
    assert [tick.get_text() for tick in ours.get_xticklabels()] == ["IoU", "Dice", "precision", "recall", "F1", "MCC"]
    assert ours.get_ylim() == paper.get_ylim() == (0.4, 1.0)
    assert "second (Dice 0.500)" in texts(figure)


def test_the_radial_axis_holds_every_value_of_all_panels():
    assert lowest_ring({"ours": OURS, "paper": paper_rows()}) == 0.4
    assert lowest_ring({"ours": {"bad": {"mcc": -0.55}}}) == -0.6
    assert lowest_ring({"ours": {"worst": {"mcc": -1.0}}}) == -1.0


def test_the_calibration_curve_draws_the_record_s_bins():
    probability = np.array([0.0, 0.05, 0.25, 0.25, 0.95], np.float32)
    record = Calibration.of(probability, np.array([0, 0, 1, 0, 1], bool)).record()

    figure = draw_calibration({"first": record}, caption="Data: phantoms.")

    curve, counts = figure.subfigs[0].axes
    np.testing.assert_allclose(curve.lines[1].get_xydata(), [(0.025, 0.0), (0.25, 0.5), (0.95, 1.0)], rtol=1e-6)
    assert counts.lines[0].get_ydata().tolist() == [2, 2, 1]
    assert f"first (expected calibration error {record['expected_calibration_error']:.4f})" in texts(figure)


def test_triptychs_name_study_slice_load_and_dice():
    figure = draw_triptychs([triptych("anna", 2.5), triptych("berta", 12.0)], caption="Data: phantoms.")

    assert len(figure.subfigs[0].axes) == 2 * 3
    shown = texts(figure)
    assert all(text in shown for text in ("anna, slice 5", "berta, slice 5", "2.5 ml", "12.0 ml", "Dice 0.125"))
    assert "plaque, class not given" in shown
    assert broken("deeplabv3plus_pspnet_se_efficientnet_b2") == "deeplabv3plus_pspnet_\nse_efficientnet_b2"
    assert "inactive" in shown
    # Pixels are half as high as wide.
    assert {axes.get_aspect() for axes in figure.subfigs[0].axes} == {0.5}


def test_rows_go_evenly_from_the_lightest_to_the_heaviest_load():
    studies = [triptych(str(volume), float(volume)) for volume in (7, 1, 3, 5, 2, 6, 4)]

    assert [each.study for each in choose_rows(studies)] == ["1", "3", "5", "7"]
    assert [each.study for each in choose_rows(studies[:2])] == ["1", "7"]


def test_a_head_is_cut_out_with_a_margin():
    picture = np.zeros((60, 50), np.float32)
    picture[20:40, 10:30] = 100.0

    assert head_box(picture) == (slice(16, 44), slice(6, 34))
    assert head_box(np.zeros((4, 4), np.float32)) == (slice(None), slice(None))


def test_every_caption_says_what_it_is_for_and_files_have_the_size_of_the_figure(tmp_path):
    figure, body = new_figure(3.0, 2.0, "Data: phantoms.")
    body.subplots().plot([0, 1], [0, 1])

    write_figure(figure, tmp_path / "a.png")
    write_figure(figure, tmp_path / "a.svg")
    first = (tmp_path / "a.svg").read_bytes()
    write_figure(figure, tmp_path / "a.svg")

    assert "Data: phantoms. Research use only, not a medical device." in texts(figure).replace("\n", " ")
    with Image.open(tmp_path / "a.png") as picture:
        width, height = picture.size
    assert width == 3 * PIXELS_PER_INCH
    assert height == int(figure.get_size_inches()[1] * PIXELS_PER_INCH)
    assert first == (tmp_path / "a.svg").read_bytes()


def test_curves_differ_by_more_than_colour():
    drawn = looks(len(COLOURS))

    assert len({look["color"] for look in drawn}) == len({look["marker"] for look in drawn}) == len(COLOURS)

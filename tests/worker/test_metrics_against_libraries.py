"""Metrics agree with SimpleITK and scikit-learn on random masks.

SimpleITK is here for registration anyway and has an overlap filter, components, contours and distance maps of its own;
scikit-learn comes with nilearn and has what SimpleITK lacks: precision, recall, MCC, the calibration curve. MONAI and
torchmetrics would bring torch for the same figures, medpy a compiler.
"""

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage, stats

from inference_worker.bootstrap import Bootstrap
from inference_worker.calibration import Calibration
from inference_worker.distances import hd95_mm
from inference_worker.metrics import Confusion, LesionDetection
from plaqueview.imaging.volume import Volume

SPACING_MM = (6.5, 0.9, 1.3)
SEEDS = range(5)


def random_masks(seed, shape=(6, 24, 20)):
    """Two masks of blobs that overlap in part; nothing touches the matrix's border, where conventions differ."""
    generator = np.random.default_rng(seed)
    fields = [ndimage.gaussian_filter(generator.standard_normal(shape), (0.6, 1.6, 1.6)) for _ in range(2)]
    prediction, truth = fields[0] > 0.12, 0.6 * fields[0] + 0.6 * fields[1] > 0.1
    inner = np.zeros(shape, bool)
    inner[1:-1, 1:-1, 1:-1] = True
    return prediction & inner, truth & inner


def picture(mask):
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(SPACING_MM[::-1])
    return image


@pytest.mark.parametrize("seed", SEEDS)
def test_overlap_is_that_of_simpleitk(seed):
    prediction, truth = random_masks(seed)
    theirs = SimpleITK.LabelOverlapMeasuresImageFilter()
    theirs.Execute(picture(prediction), picture(truth))

    ours = Confusion.of(prediction, truth)

    assert ours.dice == pytest.approx(theirs.GetDiceCoefficient())
    assert ours.iou == pytest.approx(theirs.GetJaccardCoefficient())
    assert 1.0 - ours.recall == pytest.approx(theirs.GetFalseNegativeError())


@pytest.mark.parametrize("seed", SEEDS)
def test_ratios_are_those_of_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn, of the extra 'training'")
    prediction, truth = random_masks(seed)
    pair = (truth.ravel(), prediction.ravel())

    assert Confusion.of(prediction, truth).figures() == pytest.approx(
        {
            "iou": metrics.jaccard_score(*pair),
            "dice": metrics.f1_score(*pair),
            "precision": metrics.precision_score(*pair),
            "recall": metrics.recall_score(*pair),
            "f1": metrics.f1_score(*pair),
            "mcc": metrics.matthews_corrcoef(*pair),
        }
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_hd95_is_that_of_simpleitk_s_contours_and_distance_maps(seed):
    prediction, truth = random_masks(seed)

    def distances(source, target):
        outline = SimpleITK.GetArrayFromImage(SimpleITK.LabelContour(picture(source), fullyConnected=False)) > 0
        edge = SimpleITK.LabelContour(picture(target), fullyConnected=False)
        to_edge = SimpleITK.SignedMaurerDistanceMap(edge, squaredDistance=False, useImageSpacing=True)
        return np.abs(SimpleITK.GetArrayFromImage(to_edge))[outline]

    expected = max(np.percentile(distances(*pair), 95) for pair in ((prediction, truth), (truth, prediction)))

    grid = Volume(truth, np.diag([*SPACING_MM, 1.0])[[2, 1, 0, 3]])
    assert hd95_mm(prediction, truth, grid) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_lesions_are_the_fully_connected_components_of_simpleitk(seed):
    prediction, truth = random_masks(seed)

    def touched(lesions, other):
        numbers = SimpleITK.GetArrayFromImage(SimpleITK.ConnectedComponent(picture(lesions), True))
        return numbers.max(), len(set(numbers[other].tolist()) - {0})

    true_lesions, found = touched(truth, prediction)
    predicted_lesions, confirmed = touched(prediction, truth)

    assert LesionDetection.of(prediction, truth) == LesionDetection(
        true_lesions, found, predicted_lesions, predicted_lesions - confirmed
    )


def test_the_calibration_curve_is_that_of_scikit_learn():
    calibration = pytest.importorskip("sklearn.calibration", reason="needs scikit-learn, of the extra 'training'")
    generator = np.random.default_rng(0)
    probability = generator.random(5000, dtype=np.float32)
    truth = generator.random(5000) < probability**2
    shares, means = calibration.calibration_curve(truth, probability, n_bins=10)

    bins = Calibration.of(probability, truth).record()["bins"]

    assert [each["plaque_share"] for each in bins] == pytest.approx(shares)
    assert [each["mean_probability"] for each in bins] == pytest.approx(means)


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(0).normal(0.7, 0.1, 12)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=50_000, method="percentile", rng=1).confidence_interval

    ours = Bootstrap(seed=0, resamples=50_000).interval(values.tolist())

    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-3)
    assert (ours.mean, ours.standard_deviation) == pytest.approx((values.mean(), values.std(ddof=1)))

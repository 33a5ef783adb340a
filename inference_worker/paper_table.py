"""What the source paper reports of its six networks, to stand beside our own figures.

Source: Naeeni Davarani et al., Sci Rep 14 (2024), doi 10.1038/s41598-024-67130-6, Table 1 (validation).
"""

from __future__ import annotations

from collections.abc import Mapping

PAPER_METRICS: Mapping[str, str] = {
    "iou": "IoU",
    "dice": "Dice",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "mcc": "MCC",
}
PAPER_TABLE: Mapping[str, tuple[float, float, float, float, float, float]] = {
    "DeepLabV3+_resnet50": (0.6739, 0.7233, 0.8564, 0.6879, 0.7629, 0.6438),
    "DeepLabV3+_resnet101": (0.6745, 0.7291, 0.8519, 0.6912, 0.7631, 0.6681),
    "DeepLabV3+_DenseNet121": (0.6629, 0.7172, 0.8409, 0.6800, 0.7519, 0.6824),
    "DeepLabV3+_VGG16": (0.6840, 0.7383, 0.8710, 0.7161, 0.7859, 0.6905),
    "DeepLabV3+_PSPNetSE_SegModel": (0.6935, 0.7595, 0.8812, 0.7238, 0.7947, 0.7144),
    "DeepLabV3+SE_EfficientNetB0": (0.6987, 0.7624, 0.8889, 0.7352, 0.8047, 0.7170),
}
PAPER_NOTE = (
    "The source paper's own cohort and images, split by image, not by patient; it does not say how it averages. "
    "Its figures and ours do not measure the same thing."
)


def paper_rows() -> dict[str, dict[str, float]]:
    return {name: dict(zip(PAPER_METRICS, values, strict=True)) for name, values in PAPER_TABLE.items()}


def paper_record() -> dict[str, object]:
    return {"source": "doi 10.1038/s41598-024-67130-6, Table 1", "note": PAPER_NOTE, "models": paper_rows()}

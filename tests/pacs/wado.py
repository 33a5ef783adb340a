"""What the tests of WADO-RS store and ask for, and what they find in an answer."""

import numpy as np

from tests.imaging.phantoms import enhanced

FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1'
INSTANCES = 'multipart/related; type="application/dicom"'


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


def multi_frame():
    pixels = np.random.default_rng(2).integers(0, 4000, (4, 8, 8)).astype(np.uint16)
    dataset = enhanced(pixels, [(0.0, 0.0, 5.0 * index) for index in range(4)])
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.9", "1.2.9.1", "1.2.9.1.1"
    dataset.PatientID = "P9"
    return dataset, pixels

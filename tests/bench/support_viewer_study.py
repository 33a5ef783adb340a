"""One study of 60 slices with its marked plaques, stored in a demo and in an Orthanc."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import highdicom as hd
import httpx
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.sr.codedict import codes

from inference_worker.synthesis import (
    Slices,
    SynthesisRequest,
    SyntheticPatient,
    Visit,
    synthesise,
    write_dicom_series,
)
from plaqueview.imaging import mask_codec
from tests.running_demo import RunningDemo

SLICE_COUNT = 60
READ_TIMEOUT_S = 240
PATIENT = SyntheticPatient("Synthetic^Bench", "SYN-BENCH", "19850601", "F")
VISIT = Visit(PATIENT, study_date="20240601", study_time="100000", accession_number="SYNBENCH0001")
REQUEST = SynthesisRequest(
    active_count=6,
    inactive_count=40,
    slices=Slices(count=SLICE_COUNT, rows=320, columns=320, pixel_mm=(0.72, 0.72), thickness_mm=2.6, spacing_mm=2.6),
)
SEGMENTS = ((1, "Inactive plaques"), (2, "Active plaques"))


@dataclass(frozen=True)
class StoredStudy:
    """The same study by the names that either side gives it."""

    study_instance_uid: str
    study_id: str


def store_study(folder: Path, demo: RunningDemo, orthanc: httpx.Client) -> StoredStudy:
    """The study is in both: read by the demo's network, with that mask as a DICOM SEG in Orthanc."""
    volume = synthesise(REQUEST, np.random.default_rng(60)).flair
    paths = write_dicom_series(folder, volume, visit=VISIT)
    instances = [dcmread(path) for path in paths]
    with demo.api("integrator") as api:
        upload(api, paths)
        study_id = wait_until_read(api, instances[0].StudyInstanceUID)
        mask = current_mask(api, study_id)
    stream = BytesIO()
    segmentation_of(instances, mask).save_as(stream, enforce_file_format=True)
    for content in (*(path.read_bytes() for path in paths), stream.getvalue()):
        orthanc.post("/instances", content=content).raise_for_status()
    return StoredStudy(instances[0].StudyInstanceUID, study_id)


def upload(api: httpx.Client, paths: Sequence[Path]) -> None:
    parts = [("file", (path.name, path.read_bytes(), "application/dicom")) for path in paths]
    api.post("/api/v1/uploads", files=parts).raise_for_status()


def wait_until_read(api: httpx.Client, study_instance_uid: str) -> str:
    """The id of the study once the network has read it."""
    deadline = time.monotonic() + READ_TIMEOUT_S
    while time.monotonic() < deadline:
        studies = api.get("/api/v1/studies", params={"state": "ready"}).raise_for_status().json()["results"]
        for study in studies:
            if study["study_instance_uid"] == study_instance_uid:
                return str(study["id"])
        time.sleep(0.5)
    raise TimeoutError(f"the study of {SLICE_COUNT} slices was not read within {READ_TIMEOUT_S} s")


def current_mask(api: httpx.Client, study_id: str) -> NDArray[np.uint8]:
    annotation = api.get(f"/api/v1/studies/{study_id}").raise_for_status().json()["annotation"]["id"]
    return mask_codec.decode(api.get(f"/api/v1/annotations/{annotation}/mask").raise_for_status().content)


def segmentation_of(instances: Sequence[Dataset], mask: NDArray[np.uint8]) -> Dataset:
    """The mask as a binary SEG of two segments, in the geometry of its source."""
    description = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Lesion,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=hd.AlgorithmIdentificationSequence(
                name="PlaqueView", version="bench", family=codes.DCM.ArtificialIntelligence
            ),
        )
        for number, label in SEGMENTS
    ]
    return hd.seg.Segmentation(
        source_images=list(instances),
        pixel_array=mask,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=description,
        series_instance_uid=hd.UID(),
        series_number=100,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="PlaqueView",
        manufacturer_model_name="benchmark",
        software_versions="1",
        device_serial_number="1",
        series_description="Plaques",
    )

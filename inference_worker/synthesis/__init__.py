"""FLAIR-like head volumes with plaques of known place, size and class, for tests, the demo and pre-training."""

from inference_worker.synthesis.demo_patients import write_demo_patients
from inference_worker.synthesis.dicom_series import SyntheticPatient, Visit, write_dicom_series
from inference_worker.synthesis.scanner import Slices
from inference_worker.synthesis.study import (
    SynthesisRequest,
    SyntheticLesion,
    SyntheticStudy,
    draw_request,
    synthesise,
    synthesise_with_prior,
)

__all__ = [
    "Slices",
    "SynthesisRequest",
    "SyntheticLesion",
    "SyntheticPatient",
    "SyntheticStudy",
    "Visit",
    "draw_request",
    "synthesise",
    "synthesise_with_prior",
    "write_demo_patients",
    "write_dicom_series",
]

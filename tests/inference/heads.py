"""DICOM studies of heads that the network can read, received and settled as in a clinic."""

from uuid import UUID

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site
from plaqueview.imaging.volume import Volume
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study
from tests.imaging.phantoms import instance
from tests.studies.dicom_files import FLAIR, WHO_AND_WHEN, receive_series
from tests.worker.support import head_volume


def flair_datasets(volume: Volume | None = None, *, patient_id: str = "P1") -> list[Dataset]:
    """The volume, an axial stack, as the instances of one FLAIR series of a study of its own."""
    volume = volume or head_volume()
    pixels = np.rint(volume.voxels).astype(np.uint16)
    _, *pixel_spacing = volume.spacing_mm
    study_uid, series_uid = generate_uid(), generate_uid()
    return [
        instance(
            index,
            frame,
            position=volume.positions_mm(np.array([[index, 0, 0]]))[0].round(4).tolist(),
            PixelSpacing=[round(spacing, 6) for spacing in pixel_spacing],
            StudyInstanceUID=study_uid,
            SeriesInstanceUID=series_uid,
            SOPInstanceUID=generate_uid(),
            PatientID=patient_id,
            **WHO_AND_WHEN,
            **FLAIR,
        )
        for index, frame in enumerate(pixels)
    ]


def settled_head(volume: Volume | None = None, *, site: Site | None = None, patient_id: str = "P1") -> Study:
    """A head that was received and looked at as a whole; its inference has not been asked for yet."""
    site = site or create_site(name="Ljubljana")
    study_id = _study_in(receive_series(flair_datasets(volume, patient_id=patient_id), site=site))
    studies.settle(study_id)
    return Study.objects.get(pk=study_id)


def _study_in(received) -> UUID:
    (study_id,) = {one.study_id for one in received}
    return study_id

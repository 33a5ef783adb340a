"""A study whose files lie in the store, read by the network, corrected by a reader, and approved."""

from dataclasses import dataclass

import numpy as np
from django.test import Client
from pydicom.dataset import Dataset

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from plaqueview.studies.settling import settle
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import Desk, desk_of, statement
from tests.imaging.phantoms import instance
from tests.inference.scenes import AFFINE, SHAPE, choose_flair, claimed, segmentation
from tests.studies.dicom_files import FLAIR, WHO_AND_WHEN, receive_series

STUDY_UID, SERIES_UID, FRAME_OF_REFERENCE_UID = "1.2.840.99.7", "1.2.840.99.7.3", "1.2.840.99.7.9"


def slices(**changes) -> list[Dataset]:
    """The FLAIR on whose grid `segmentation()` lies; slice i shows 100 + i."""
    attributes = {**WHO_AND_WHEN, **FLAIR, "FrameOfReferenceUID": FRAME_OF_REFERENCE_UID, "StudyID": "7", **changes}
    attributes = {keyword: value for keyword, value in attributes.items() if value is not None}
    return [
        instance(
            index,
            np.full(SHAPE[1:], 100 + index, np.uint16),
            position=AFFINE[:3, 3] + index * AFFINE[:3, 0],
            PixelSpacing=[1.0, 1.0],
            SliceThickness=4.0,
            SOPInstanceUID=f"{SERIES_UID}.{index + 1}",
            SeriesInstanceUID=SERIES_UID,
            StudyInstanceUID=STUDY_UID,
            PatientID="P1",
            **attributes,
        )
        for index in range(SHAPE[0])
    ]


def received(site: Site, **changes) -> Study:
    """The study, with a reader's choice of its only series, which is too short to be chosen by itself."""
    (study_id,) = {one.study_id for one in receive_series(slices(**changes), site=site)}
    settle(study_id)
    study = Study.objects.get(pk=study_id)
    choose_flair(study, study.series.get())
    return study


@dataclass(frozen=True)
class Office:
    """A study with its prediction, a reader at it, and an integrator who fetches documents."""

    desk: Desk
    integrator: User
    client: Client

    @property
    def prediction(self) -> Annotation:
        return self.desk.prediction

    def get(self, annotation: Annotation, kind: str, **headers: str):
        return self.client.get(f"/api/v1/annotations/{annotation.pk}/{kind}", headers=headers)

    def confirmed(self) -> Annotation:
        """A reader's version in which the active lesion is confirmed; waits for review."""
        return self.desk.submitted(statements=[statement(evidence="post_gadolinium")])

    def approve(self, annotation: Annotation) -> None:
        answer = self.desk.post(f"annotations/{annotation.pk}/approve", {"comment": ""})
        assert answer.status_code == 200, answer.json()


def make_office(**changes) -> Office:
    site = create_site(name="Ljubljana")
    study = received(site, **changes)
    prediction = inference.complete(claimed(study), segmentation=segmentation())
    integrator = make_user(Role.INTEGRATOR, site=site)
    return Office(desk_of(study, prediction), integrator, token_client(integrator))

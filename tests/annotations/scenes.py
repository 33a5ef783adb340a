"""A study that the network has read, and a reader who works on it over REST."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from numpy.typing import NDArray

from plaqueview.accounts.models import User
from plaqueview.annotations import masks
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
from plaqueview.inference import services as inference
from plaqueview.studies.models import Study
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import claimed, make_study, segmentation

# Voxels of the lesions of `segmentation()`, by falling volume, and one of none.
ACTIVE = [4, 24, 16]
LARGE_INACTIVE = [2, 8, 8]
SMALL_INACTIVE = [3, 8, 24]
NOWHERE = [0, 0, 0]

NEW = {"if-none-match": "*"}


@dataclass(frozen=True)
class Desk:
    """One reader at one study; every request is a real one."""

    study: Study
    prediction: Annotation
    reader: User
    client: Client

    @property
    def draft(self) -> str:
        return f"/api/v1/studies/{self.study.pk}/draft"

    def save(self, headers: dict[str, str], labels: NDArray[np.uint8] | None = None, **changes: Any) -> Any:
        body = {"base": str(self.prediction.pk), "mask": encoded(predicted_labels() if labels is None else labels)}
        body |= {"statements": []} | changes
        return self.client.put(self.draft, body, content_type="application/json", headers=headers)

    def submit(self, draft: str, tag: str = "*", comment: str = "") -> Any:
        return self.post(f"annotations/{draft}/submit", {"comment": comment}, {"if-match": tag})

    def post(self, address: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        return self.client.post(f"/api/v1/{address}", body, content_type="application/json", headers=headers or {})

    def submitted(self, labels: NDArray[np.uint8] | None = None, **changes: Any) -> Annotation:
        """The version that a new draft of this content has become."""
        draft = self.save(NEW, labels, **changes).json()["id"]
        answer = self.submit(draft)
        assert answer.status_code == 201, answer.json()
        return Annotation.objects.get(pk=draft)

    def state(self) -> str:
        self.study.refresh_from_db()
        return self.study.state


def make_desk(study: Study | None = None) -> Desk:
    study = study or make_study()
    prediction = inference.complete(claimed(study), segmentation=segmentation())
    return desk_of(study, prediction)


def desk_of(study: Study, prediction: Annotation) -> Desk:
    """Another reader at the same study."""
    reader = make_user(Role.NEUROLOGIST, site=study.site)
    return Desk(study, prediction, reader, token_client(reader))


def transactions_at_masks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each mask that is read from the disk from now on, whether a transaction was open, for which others wait."""
    seen: list[bool] = []

    def path_of(key: str) -> Path:
        seen.append(connection.in_atomic_block)
        return stored_path(key)

    monkeypatch.setattr(masks, "stored_path", path_of)
    return seen


def predicted_labels() -> NDArray[np.uint8]:
    return segmentation().labels.voxels.copy()


def without_small_inactive() -> NDArray[np.uint8]:
    labels = predicted_labels()
    labels[3, :16, 16:] = 0
    return labels


def encoded(labels: NDArray[np.uint8]) -> str:
    return b64encode(mask_codec.encode(labels)).decode()


def statement(kind: str = "confirmed", anchor: list[int] | None = None, **changes: Any) -> dict[str, Any]:
    """By default: the active lesion is active, for a prior study says so."""
    defaults: dict[str, Any] = {"lesion_class": "active", "evidence": "prior" if kind == "confirmed" else None}
    return {"id": str(uuid4()), "kind": kind, "anchor": anchor or ACTIVE, **defaults, "reason": ""} | changes

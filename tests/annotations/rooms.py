"""A room of readers at one study, and what each of them sees of a double reading."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, DoubleReading
from plaqueview.studies.models import Study
from tests.accounts.people import token_client
from tests.annotations.scenes import Desk

URL = "/api/v1/double-readings"


@dataclass(frozen=True)
class Room:
    """Two readers, an adjudicator, one more reader, and who manages the reading, all at one study."""

    ana: Desk
    bor: Desk
    eva: Desk
    cid: Desk
    chief: User

    @property
    def study(self) -> Study:
        return self.ana.study

    @property
    def manage(self) -> Client:
        return token_client(self.chief)

    @property
    def panel(self) -> dict[str, Any]:
        readers = [self.ana.reader.username, self.bor.reader.username]
        return {"study": str(self.study.pk), "readers": readers, "adjudicator": self.eva.reader.username}

    def begin(self, **changes: Any) -> Any:
        return self.manage.post(URL, self.panel | changes, content_type="application/json")

    def seen_by(self, client: Client) -> dict[str, Any]:
        return client.get(f"{URL}/{DoubleReading.objects.get().pk}").json()


def statuses(client: Client, *addresses: str) -> set[int]:
    return {client.get(f"/api/v1/{address}").status_code for address in addresses}


def versions(client: Client, study: Study) -> list[int]:
    return [one["version"] for one in client.get(f"/api/v1/studies/{study.pk}/annotations").json()["results"]]


def parts(version: Annotation) -> list[str]:
    base = f"annotations/{version.pk}"
    return [base, *(f"{base}/{part}" for part in ("lesions", "mask", "brain-mask", "probability", "mask.nii.gz"))]


def everybody(room: Room) -> dict[str, Client]:
    return {"ana": room.ana.client, "bor": room.bor.client, "eva": room.eva.client, "chief": room.manage}

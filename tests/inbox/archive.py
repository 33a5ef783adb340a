"""A reader's site, nodes of it, and an Orthanc that knows our titles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.test import Client
from pydicom.dataset import Dataset

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.inbox import services
from plaqueview.inbox.models import Fetch
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.nodes import NodeSetup, create_node
from tests.accounts.people import make_user, token_client
from tests.bench.support_orthanc import running_orthanc
from tests.studies.dicom_files import encoded

JSON = "application/json"


@dataclass(frozen=True)
class Department:
    """A site with a neurologist who asks and an administrator who connects."""

    site: Site
    admin: User
    client: Client

    def node(self, name: str = "Archive", **setup: Any) -> RemoteNode:
        """By DIMSE unless a url is given."""
        address = {"kind": "dicomweb"} if "url" in setup else {"kind": "dimse", "host": "127.0.0.1"}
        return create_node(setup=NodeSetup(name=name, **{**address, **setup}), site_id="", actor=self.admin)

    def search(self, node: RemoteNode, **query: Any) -> Any:
        return self.client.post(f"/api/v1/nodes/{node.pk}/search", query, content_type=JSON)

    def ask(self, node: RemoteNode, uid: str) -> Any:
        body = {"node": str(node.pk), "study_instance_uid": uid}
        return self.client.post("/api/v1/fetches", body, content_type=JSON)

    def fetched(self, node: RemoteNode, uid: str) -> dict[str, Any]:
        """The fetch as the API tells it once a worker has been at it."""
        answer = self.ask(node, uid)
        assert answer.status_code == 202, answer.json()
        work(node)
        return self.client.get(answer.headers["Location"]).json()


def open_department() -> Department:
    site = create_site(name=settings.DEFAULT_SITE_NAME)
    return Department(site, make_user(Role.ADMIN, site=site), token_client(make_user(Role.NEUROLOGIST, site=site)))


def work(node: RemoteNode) -> int:
    """What a worker does for the node."""
    return services.fetch_from_node(node_id=UUID(str(node.pk)), random=Random(0))


def only_fetch() -> Fetch:
    return Fetch.objects.get()


@dataclass(frozen=True)
class Archive:
    """An Orthanc of real answers: its client, DICOM port and DICOMweb root."""

    client: httpx.Client
    port: int
    root: str

    def keep(self, datasets: list[Dataset]) -> str:
        """The UID of the study."""
        for dataset in datasets:
            assert self.client.post("/instances", content=encoded(dataset)).is_success
        return str(datasets[0].StudyInstanceUID)

    def know_us(self, **modality: Any) -> None:
        known = {"AET": settings.DICOM_AE_TITLE, "Host": "127.0.0.1", "Port": 104, **modality}
        assert self.client.put("/modalities/plaqueview", json=known).is_success


@contextmanager
def running_archive(folder: Path) -> Iterator[Archive]:
    with running_orthanc(folder) as client:
        port = client.get("/system").json()["DicomPort"]
        archive = Archive(client, port, f"{str(client.base_url).rstrip('/')}/dicom-web")
        archive.know_us()
        yield archive

"""An approved version, and nodes to which it may go."""

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Role
from plaqueview.outbox import services
from plaqueview.outbox.models import Transfer
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.nodes import NodeSetup, create_node
from tests.accounts.people import make_user
from tests.reports.scenes import Office, make_office


@dataclass(frozen=True)
class PostOffice:
    """Reader and integrator of `office`, an administrator, and a version of known content."""

    office: Office
    admin: User
    version: Annotation

    def node(self, name: str = "Archive", **setup: Any) -> RemoteNode:
        """By DIMSE unless a url is given."""
        address = {"kind": "dicomweb"} if "url" in setup else {"kind": "dimse", "ae_title": "ARCHIVE"}
        address |= {} if "url" in setup else {"host": "127.0.0.1"}
        return create_node(setup=NodeSetup(name=name, **{**address, **setup}), site_id="", actor=self.admin)

    def ask(self, node: RemoteNode, version: Annotation | None = None) -> Any:
        body = {"annotation": str((version or self.version).pk), "node": str(node.pk)}
        return self.office.client.post("/api/v1/transfers", body, content_type="application/json")

    def asked(self, node: RemoteNode) -> Transfer:
        answer = self.ask(node)
        assert answer.status_code == 202, answer.json()
        return Transfer.objects.get(pk=answer.json()["id"])

    def resend(self, transfer: Transfer) -> Any:
        return self.office.client.post(f"/api/v1/transfers/{transfer.pk}/resend")

    def approve(self) -> None:
        self.office.approve(self.version)


def open_post_office() -> PostOffice:
    """The version waits for review."""
    office = make_office()
    return PostOffice(office, make_user(Role.ADMIN, site=office.desk.study.site), office.confirmed())


def with_approval() -> PostOffice:
    post_office = open_post_office()
    post_office.approve()
    return post_office


def work(node: RemoteNode) -> int:
    """What a worker does for the node."""
    return services.send_to_node(node_id=UUID(str(node.pk)), random=Random(0))

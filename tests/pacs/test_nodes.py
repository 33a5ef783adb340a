"""Remote nodes: what an administrator may say of one, what never comes back, and how a peer answers an echo."""

import logging
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client
from pynetdicom import build_context, evt
from pynetdicom.sop_class import Verification

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.timed_stream import Deadline
from plaqueview.launcher.broker import free_port
from plaqueview.pacs.dimse_peer import associated
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.peer import PeerError, PeerProblem
from plaqueview.pacs.sealing import NODE_SEAL
from tests.accounts.people import make_user, token_client
from tests.bench.support_orthanc import running_orthanc
from tests.pacs.peers import (
    certificate_and_key,
    needs_dcmtk,
    needs_orthanc,
    picky_entity,
    server_context,
    silent_port,
    storescp,
    web_server,
)

pytestmark = pytest.mark.django_db

DIMSE = {"name": "Archive", "kind": "dimse", "ae_title": "ARCHIVE", "host": "127.0.0.1", "port": 104}
WEB = {"name": "Web archive", "kind": "dicomweb", "url": "https://pacs.example/dicom-web"}
PASSWORD, TOKEN = "correct-horse", "battery-staple"


@dataclass(frozen=True)
class Administration:
    client: Client

    def post(self, body: dict, address: str = "nodes"):
        return self.client.post(f"/api/v1/{address}", body, content_type="application/json")

    def patch(self, node: str, body: dict):
        return self.client.patch(f"/api/v1/nodes/{node}", body, content_type="application/json")

    def made(self, setup: dict, **changes) -> str:
        answer = self.post({**setup, **changes})
        assert answer.status_code == 201, answer.json()
        return answer.json()["id"]

    def echo(self, setup: dict, **changes) -> tuple[bool, str | None, str]:
        answer = self.post({}, f"nodes/{self.made(setup, **changes)}/echo")
        assert answer.status_code == 200, answer.json()
        last = answer.json()["last_echo"]
        return last["is_answered"], last["problem"], last["detail"]


@pytest.fixture
def administration() -> Administration:
    return Administration(token_client(make_user(Role.ADMIN, site=create_site(name="Ljubljana"))))


def test_a_node_is_made_changed_listed_and_removed(administration):
    node = administration.made(DIMSE)
    changed = administration.patch(node, {"port": 11112, "sends_approved": True, "documents": ["sc", "seg"]})
    listed = administration.client.get("/api/v1/nodes").json()
    removed = administration.client.delete(f"/api/v1/nodes/{node}")

    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in ("port", "sends_approved", "documents", "ae_title")} == {
        "port": 11112,
        "sends_approved": True,
        "documents": ["seg", "sc"],
        "ae_title": "ARCHIVE",
    }
    assert [one["id"] for one in listed["results"]] == [node]
    assert removed.status_code == 204
    assert not RemoteNode.objects.exists()
    kinds = AuditEvent.objects.filter(object_id=node).order_by("sequence").values_list("kind", flat=True)
    assert list(kinds) == [EventKind.NODE_CREATED, EventKind.NODE_CHANGED, EventKind.NODE_REMOVED]


@pytest.mark.parametrize(
    ("setup", "changes", "field"),
    [
        (DIMSE, {"host": "http://archive"}, "host"),
        (DIMSE, {"host": "archive/path"}, "host"),
        (DIMSE, {"host": ""}, "host"),
        (DIMSE, {"host": "pacs..hospital.example"}, "host"),
        (DIMSE, {"port": 0}, "port"),
        (DIMSE, {"ae_title": "A\\B"}, "ae_title"),
        (DIMSE, {"url": "http://archive/dicom-web"}, "url"),
        (DIMSE, {"documents": ["docx"]}, "documents.0"),
        (DIMSE, {"documents": []}, "documents"),
        (DIMSE, {"uses_tls": True, "ca_certificates": "nonsense"}, "client_certificate"),
        (WEB, {"url": "file:///etc/passwd"}, "url"),
        (WEB, {"url": "gopher://pacs.example/"}, "url"),
        (WEB, {"url": "pacs.example/dicom-web"}, "url"),
        (WEB, {"url": "https://pacs..hospital.example/dicom-web"}, "url"),
        (WEB, {"url": "https://xn--0.example/dicom-web"}, "url"),
        (WEB, {"url": "https://ana:secret@pacs.example/"}, "url"),
        (WEB, {"url": "https://pacs.example/?key=1"}, "url"),
        (WEB, {"url": "https://pacs.example:99999/"}, "url"),
        (WEB, {"host": "archive"}, "host"),
        (DIMSE, {"host": "169.254.169.254"}, "host"),
        (WEB, {"url": "http://[fd00:ec2::254]/latest/meta-data/"}, "url"),
        (WEB, {"username": "ana", "password": "a", "token": "b"}, "token"),
        (WEB, {"password": "a"}, "username"),
    ],
)
def test_what_cannot_be_reached_is_refused_by_field(administration, setup, changes, field):
    answer = administration.post({**setup, **changes})

    assert answer.status_code in {400, 422}  # of the wrong shape, or of the right one and wrong
    assert field in [one["field"] for one in answer.json()["errors"]]
    assert not RemoteNode.objects.exists()


def test_two_nodes_of_one_name_are_a_conflict(administration):
    administration.made(DIMSE)

    assert administration.post(DIMSE).status_code == 409
    assert RemoteNode.objects.count() == 1


def test_secrets_are_sealed_and_never_come_back(administration, caplog):
    caplog.set_level(logging.DEBUG)
    node = administration.made(WEB, username="ana", password=PASSWORD)
    answers = [
        administration.client.get(f"/api/v1/nodes/{node}"),
        administration.client.get("/api/v1/nodes"),
        administration.patch(node, {"username": "", "password": "", "token": TOKEN}),
    ]

    stored = RemoteNode.objects.get()
    assert (NODE_SEAL.open(stored.password_sealed), NODE_SEAL.open(stored.token_sealed)) == ("", TOKEN)
    assert TOKEN not in stored.token_sealed
    assert (answers[0].json()["has_password"], answers[2].json()["has_password"]) == (True, False)
    assert answers[2].json()["has_token"] is True
    said = caplog.text + "".join(answer.content.decode() for answer in answers)
    said += str(list(AuditEvent.objects.values_list("details", flat=True)))
    assert PASSWORD not in said
    assert TOKEN not in said


def test_a_node_at_another_address_has_forgotten_its_secrets(administration):
    node = administration.made(WEB, username="ana", password=PASSWORD)

    kept = administration.patch(node, {"name": "Archive"}).json()
    moved = administration.patch(node, {"url": "https://elsewhere.example/", "username": ""}).json()

    assert (kept["has_password"], moved["has_password"]) == (True, False)
    assert RemoteNode.objects.get().password_sealed == ""


def test_secrets_under_another_key_have_to_be_entered_again(administration, settings):
    node = administration.made(WEB, url="http://127.0.0.1:9/", token=TOKEN)
    settings.SECRET_KEY = "another-secret-key-0123456789-abcdefghijkl"

    last = administration.post({}, f"nodes/{node}/echo").json()["last_echo"]

    assert (last["problem"], last["is_answered"]) == ("broken_secret", False)
    assert "enter them again" in last["detail"]


def test_an_entity_answers_c_echo_and_the_node_keeps_it(administration):
    with picky_entity() as port:
        answered, problem, detail = administration.echo(DIMSE, port=port)

    assert (answered, problem) == (True, None)
    assert detail.startswith("answered C-ECHO in ")
    node = RemoteNode.objects.get()
    assert (node.echo_problem, node.echo_answer) == ("", detail)
    assert AuditEvent.objects.filter(kind=EventKind.NODE_ECHOED, object_id=str(node.pk)).count() == 1


def test_nothing_listens(administration):
    port = free_port()

    assert administration.echo(DIMSE, port=port) == (
        False,
        "refused",
        f"ARCHIVE at 127.0.0.1, port {port}: the connection was refused; nothing listens there",
    )
    assert administration.echo(WEB, url=f"http://127.0.0.1:{port}/")[1] == "refused"


def test_a_host_that_nobody_knows(administration):
    assert administration.echo(DIMSE, host="archive.invalid")[1] == "unknown_host"
    assert administration.echo(WEB, url="http://archive.invalid/")[1] == "unknown_host"


@pytest.mark.parametrize("setup", [DIMSE, WEB])
def test_a_host_that_is_none_and_was_taken_once_is_nobodys(administration, setup):
    node, host = administration.made(setup), "pacs..example"
    address = {"host": host} if setup is DIMSE else {"url": f"https://{host}/dicom-web"}
    RemoteNode.objects.filter(pk=node).update(**address)

    answer = administration.post({}, f"nodes/{node}/echo")

    assert (answer.status_code, answer.json()["last_echo"]["problem"]) == (200, "unknown_host")


def test_titles_that_the_peer_does_not_know(administration):
    with picky_entity(called="OTHER") as port:
        called = administration.echo(DIMSE, port=port)
    with picky_entity(calling="SCANNER") as port:
        calling = administration.echo(DIMSE, name="Second", port=port)
        known = administration.echo(DIMSE, name="Third", port=port, calling_ae_title="SCANNER")

    assert called[1:] == (
        "unknown_ae",
        called[2].partition(": ")[0] + ": the peer does not answer to the AE title ARCHIVE",
    )
    assert calling[2].endswith("the peer does not know our AE title PLAQUEVIEW")
    assert known[0] is True


@needs_dcmtk
def test_a_rejection_that_is_there_before_we_look_is_told_as_one(tmp_path):
    """The library's thread finds the connection closed, and would say that there was no answer."""
    port, is_closed = free_port(), threading.Event()
    node = RemoteNode(name="Archive", kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=port)
    late = [(evt.EVT_CONN_CLOSE, lambda _: is_closed.set()), (evt.EVT_REQUESTED, lambda _: is_closed.wait(30))]

    with (
        storescp(tmp_path / "kept", port, "--refuse"),
        pytest.raises(PeerError) as refused,
        associated(node, [build_context(Verification)], timeout_s=30, deadline=Deadline(30.0), handlers=late),
    ):
        pass

    assert (refused.value.problem, is_closed.is_set()) == (PeerProblem.REJECTED, True)
    assert "the peer rejects the association" in str(refused.value)


def test_a_peer_that_says_nothing_is_given_up_in_time(administration):
    with silent_port() as port:
        dimse = administration.echo(DIMSE, port=port)
        web = administration.echo(WEB, url=f"http://127.0.0.1:{port}/")

    assert (dimse[1], web[1]) == ("timed_out", "timed_out")
    assert dimse[2].endswith("connected, and no answer to the association within 5 s")


@pytest.mark.parametrize(
    ("status", "options", "problem"),
    [
        (401, {}, "unauthorized"),
        (403, {}, "unauthorized"),
        (404, {}, "not_dicomweb"),
        (500, {}, "rejected"),
        (302, {"location": "http://169.254.169.254/"}, "rejected"),
        (200, {"media_type": "text/html", "body": b"<html>"}, "not_dicomweb"),
        (200, {"body": b"[]"}, None),
        (204, {}, None),
    ],
)
def test_the_answers_of_web_servers(administration, status, options, problem):
    with web_server(status, **options) as (url, asked):
        answered, found, detail = administration.echo(WEB, url=url)

    assert (answered, found) == (problem is None, problem)
    assert [one["path"] for one in asked] == ["/dicom-web/studies?limit=1"]
    assert detail.startswith(("answered QIDO-RS in ", f"{url}: "))


def test_a_name_that_changes_its_address_is_not_connected_to(administration, settings, monkeypatch):
    """DNS rebinding: a name that was somebody's when it was saved, and is this machine's when it is used."""
    settings.NODES_ON_LOOPBACK = False
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry])
    with web_server(200, body=b"[]") as (url, asked), picky_entity() as port:
        web = administration.echo(WEB, url=url.replace("127.0.0.1", "pacs.example"))
        dimse = administration.echo(DIMSE, host="archive.example", port=port)

    assert asked == []
    assert (web[1], dimse[1]) == ("forbidden", "forbidden")
    assert dimse[2] == (
        f"ARCHIVE at archive.example, port {port}: not connected, since 127.0.0.1 is this machine itself "
        "(PLAQUEVIEW_NODES_ON_LOOPBACK)"
    )


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(administration, monkeypatch, tmp_path):
    """The certificate is still asked for the name, and the peer still hears it."""
    certificate, key = certificate_and_key("pacs.example")
    real, asked = socket.getaddrinfo, []

    def getaddrinfo(host, *args, **options):
        asked.append(host)
        return real("127.0.0.1" if host == "pacs.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    known = {"ca_certificates": certificate, "client_certificate": certificate, "client_key": key}
    context = server_context(tmp_path, certificate, key)
    with web_server(200, body=b"[]", context=context) as (url, heard), picky_entity(context=context) as port:
        where = url.replace("http://127.0.0.1", "https://pacs.example")
        web = administration.echo(WEB, url=where, **known)
        dimse = administration.echo(DIMSE, host="pacs.example", port=port, uses_tls=True, **known)

    assert (web[:2], dimse[:2]) == ((True, None), (True, None))
    assert asked.count("pacs.example") == 2
    assert heard[0]["host"] == urlsplit(where).netloc


def test_credentials_reach_the_peer(administration):
    with web_server(200, body=b"[]") as (url, asked):
        administration.echo(WEB, url=url, username="ana", password=PASSWORD)
        administration.echo(WEB, name="Second", url=url, token=TOKEN)

    basic = httpx.BasicAuth("ana", PASSWORD)._auth_header
    assert [one["authorization"] for one in asked] == [basic, f"Bearer {TOKEN}"]


def test_tls_asks_both_for_their_certificates(administration, tmp_path):
    certificate, key = certificate_and_key()
    _, other_key = certificate_and_key()
    known = {"uses_tls": True, "ca_certificates": certificate, "client_certificate": certificate, "client_key": key}
    with picky_entity(context=server_context(tmp_path, certificate, key)) as port:
        answered = administration.echo(DIMSE, port=port, **known)
        untrusted = administration.echo(DIMSE, name="2", port=port, uses_tls=True)
        plain = administration.echo(DIMSE, name="3", port=port)
    mixed = administration.post({**DIMSE, "name": "4", **known, "client_key": other_key})

    assert answered[0] is True
    assert untrusted[1] == "tls"
    assert untrusted[2].endswith("no trust by TLS: self-signed certificate")
    assert (plain[1], plain[2].endswith("without an answer; it may want TLS")) == ("aborted", True)
    assert mixed.status_code == 422
    assert other_key not in mixed.content.decode()


@pytest.mark.peers
@needs_dcmtk
def test_storescp_answers(administration, tmp_path):
    port = free_port()
    with storescp(tmp_path / "kept", port):
        assert administration.echo(DIMSE, port=port)[0] is True


@pytest.mark.peers
@needs_orthanc
def test_orthanc_answers_in_both_ways(administration, tmp_path):
    with running_orthanc(tmp_path) as orthanc:
        port = orthanc.get("/system").json()["DicomPort"]
        dimse = administration.echo(DIMSE, port=port, ae_title="ORTHANC")
        web = administration.echo(WEB, url=f"{str(orthanc.base_url).rstrip('/')}/dicom-web")

    assert (dimse[0], web[0]) == (True, True)

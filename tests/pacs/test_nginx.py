"""nginx as deploy/nginx.conf has it: it sends stored instances for the web process, with the very same headers."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from plaqueview.core.access import Role
from plaqueview.launcher.broker import free_port
from plaqueview.studies.models import Instance
from tests.accounts.people import make_user, secret_of, token_client
from tests.pacs.peers import certificate_and_key
from tests.pacs.wado import address
from tests.studies.dicom_files import encoded, receive_series, series

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(NGINX is None, reason="needs nginx"),
]

CONFIGURATION = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text(encoding="utf-8")
AROUND = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/log;
events {{}}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream plaqueview_web {{ server 127.0.0.1:{web}; }}
  upstream plaqueview_feed {{ server 127.0.0.1:1; }}
  {ours}
}}
"""
START_TIMEOUT_S = 15
AS_STORED = "application/dicom; transfer-syntax=*"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None: ...


@contextmanager
def running_web() -> Iterator[int]:
    """Django answers at the port, in a thread."""
    with make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Quiet) as server:

        def serve() -> None:
            server.serve_forever(poll_interval=0.05)
            connections.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running_nginx(folder: Path, *, web: int, storage: Path) -> Iterator[str]:
    """nginx.conf as it is, but for its places: ports, names, certificate, storage."""
    plain, secure = free_port(), free_port()
    for name, text in zip(("fullchain.pem", "key.pem"), certificate_and_key(), strict=True):
        (folder / name).write_text(text)
    places = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
        "/etc/ssl/plaqueview/": f"{folder}/",
        "/var/lib/plaqueview/": f"{storage}/",
        "/var/log/nginx/": f"{folder}/",
    }
    ours = CONFIGURATION
    for place, here in places.items():
        assert place in ours
        ours = ours.replace(place, here)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, web=web, ours=ours))
    process = subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        url = f"https://127.0.0.1:{secure}"
        wait_until_it_answers(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "nginx did not take its configuration"
        try:
            assert httpx.get(f"{url}/healthz", verify=False).status_code == 200  # its own certificate
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nginx did not answer within {START_TIMEOUT_S} s")


@pytest.fixture
def asked(settings, tmp_path) -> Iterator[httpx.Client]:
    """A reader's client of nginx."""
    settings.STORAGE_DIR = tmp_path / "store"
    settings.SECURE_PROXY_SSL_HEADER, settings.SECURE_HSTS_SECONDS = ("HTTP_X_FORWARDED_PROTO", "https"), 3600
    headers = {"Authorization": f"Bearer {secret_of(make_user(Role.NEUROLOGIST))}"}
    with (
        running_web() as web,
        running_nginx(tmp_path, web=web, storage=settings.STORAGE_DIR) as url,
        httpx.Client(base_url=url, headers=headers, verify=False) as client,  # its own certificate
    ):
        yield client


def without_chance(answer: httpx.Response) -> list[tuple[str, str]]:
    """Every header, repeated ones too, but for those that tell of the moment."""
    return sorted(pair for pair in answer.headers.multi_items() if pair[0] not in {"date", "x-request-id"})


def test_a_stored_instance_is_sent_by_nginx_as_the_web_process_would_send_it(asked, settings):
    dataset = series(1)[0]
    receive_series([dataset])
    headers = {"Accept": AS_STORED}

    by_python = asked.get(address(dataset), headers=headers)
    settings.NGINX_SENDS_FILES = True
    by_nginx = asked.get(address(dataset), headers=headers | {"X-Request-ID": "0123456789"})

    assert by_nginx.content == by_python.content == encoded(dataset)
    assert without_chance(by_nginx) == without_chance(by_python)
    assert by_nginx.headers["X-Request-ID"] == "0123456789"
    assert by_nginx.headers["Strict-Transport-Security"] == "max-age=3600"
    assert by_nginx.headers.get_list("Vary") == ["Accept, Cookie"]
    assert "X-Accel-Redirect" not in by_nginx.headers


def test_the_web_process_names_the_place_and_sends_no_byte(settings):
    dataset = series(1)[0]
    receive_series([dataset])
    settings.NGINX_SENDS_FILES = True

    answer = token_client(make_user(Role.NEUROLOGIST)).get(address(dataset), headers={"accept": AS_STORED})

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/stored/{Instance.objects.get().storage_key}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=10-19"}, 206),
        ({"Range": "bytes=99999999-"}, 416),
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
        ({"Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"}, 406),
        ({"Accept": "application/dicom"}, 200),
        ({"Authorization": "Bearer pv_unknown"}, 401),
    ],
)
def test_everything_else_is_answered_alike(headers, status, asked, settings):
    dataset = series(1)[0]
    receive_series([dataset])
    headers = {"Accept": AS_STORED} | headers

    by_python = asked.get(address(dataset), headers=headers)
    settings.NGINX_SENDS_FILES = True
    answer = asked.get(address(dataset), headers=headers)

    assert answer.status_code == status
    assert without_chance(answer) == without_chance(by_python)
    assert answer.content == by_python.content


def test_what_the_caller_has_is_not_sent_again(asked, settings):
    dataset = series(1)[0]
    receive_series([dataset])
    settings.NGINX_SENDS_FILES = True
    first = asked.get(address(dataset), headers={"Accept": AS_STORED})

    again = asked.get(address(dataset), headers={"Accept": AS_STORED, "If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


def test_nobody_reaches_the_storage_by_its_address(asked, settings):
    dataset = series(1)[0]
    receive_series([dataset])
    settings.NGINX_SENDS_FILES = True
    stored = next(path for path in settings.STORAGE_DIR.glob("dicom/*/*") if path.is_file())
    place = stored.relative_to(settings.STORAGE_DIR).as_posix()

    answers = [asked.get(path) for path in (f"/stored/{place}", "/stored/", f"/static/..%2Fstored/{place}")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all(encoded(dataset) not in answer.content for answer in answers)


def test_no_log_tells_what_was_searched_for(asked, tmp_path):
    from_a_search = {"Referer": f"{asked.base_url}/?search=Doe"}

    answers = [
        asked.get("/api/v1/studies?search=Doe", headers=from_a_search),
        asked.get("/dicom-web/studies?PatientName=Doe*"),
        asked.get("/ws/feed?search=Doe", headers=from_a_search),  # there is no feed
        asked.get("/healthz"),  # by when the others stand in the log
    ]

    assert [answer.status_code for answer in answers] == [200, 204, 502, 200]
    access = [line for line in (tmp_path / "access.log").read_text().splitlines() if "/healthz" not in line]
    requests = [line.split('"')[1] for line in access]
    assert requests == ["GET /api/v1/studies", "GET /dicom-web/studies", "GET /ws/feed"]
    assert '"127.0.0.1:1" "502"' in access[2]
    assert f'id "{answers[0].headers["X-Request-ID"]}"' in access[0]
    assert not any("Doe" in log.read_text() for log in (*tmp_path.glob("*.log"), tmp_path / "log"))

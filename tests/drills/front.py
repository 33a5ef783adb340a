"""nginx as `deploy/nginx.conf` has it before two servers of each kind: one restarts while the other answers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from plaqueview.launcher.broker import free_port
from tests.drills.department import ROOT, Department, commands, listens, wait_until
from tests.pacs.peers import certificate_and_key

SITE = ROOT / "deploy" / "nginx.conf"
UPSTREAMS = ROOT / "deploy" / "nginx-upstreams.conf"
HOST = "plaqueview.example.org"
START_TIMEOUT_S = 60.0
SECOND = {"web": "second_web", "feed": "second_feed"}

# What Debian's own nginx.conf says around the site, in a folder of its own.
AROUND = """\
user root;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    include {folder}/upstreams.conf;
    include {folder}/site.conf;
}}
"""


@contextmanager
def behind_nginx(department: Department) -> Iterator[Department]:
    """Within, the same department with a second web server and a second feed, reached through nginx and TLS."""
    folder = department.folder / "nginx"
    folder.mkdir(exist_ok=True)
    names = (*SECOND.values(), "nginx", "plain")
    ports = {**department.ports, **{name: free_port() for name in names}}
    certificate = make_certificate(folder)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    (folder / "upstreams.conf").write_text(upstreams(ports))
    (folder / "site.conf").write_text(site(ports, folder))
    second = commands({"web": ports["second_web"], "feed": ports["second_feed"], "dicom": ports["dicom"]})
    added = {second_name: department.service(second_name, second[name]) for name, second_name in SECOND.items()}
    added["nginx"] = department.service(
        "nginx", ("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;")
    )
    services = {**department.services, **added}
    place = replace(department, ports=ports, services=services, certificate=certificate)
    try:
        for service in added.values():
            service.start()
        wait_until(lambda: all(map(listens, ports.values())), what="nginx and the others", timeout_s=START_TIMEOUT_S)
        yield place
    finally:
        for service in added.values():
            service.stop()


def upstreams(ports: dict[str, int]) -> str:
    """The file with both servers of each kind, at these ports."""
    here = {"8000": "web", "8001": "feed", "8002": "second_web", "8003": "second_feed"}
    text = UPSTREAMS.read_text().replace("# server", "server")
    return re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[here[found[1]]]}", text)


def site(ports: dict[str, int], folder: Path) -> str:
    """The file for this host, at these ports, with the certificate of the folder."""
    text = (
        SITE.read_text()
        .replace(HOST, "127.0.0.1")
        .replace("/etc/ssl/plaqueview", str(folder))
        .replace("/var/log/nginx", str(folder))
    )
    text = text.replace("listen 80;", f"listen 127.0.0.1:{ports['plain']};")
    return text.replace("listen 443 ", f"listen 127.0.0.1:{ports['nginx']} ")


def make_certificate(folder: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key beside it."""
    certificate, key = certificate_and_key()
    (folder / "key.pem").write_text(key)
    path = folder / "fullchain.pem"
    path.write_text(certificate)
    return path

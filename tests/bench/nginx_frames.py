"""WADO-RS frames at eight connections: nginx with two web processes behind it, beside one web process alone."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from plaqueview.launcher.broker import free_port
from plaqueview.launcher.programs import WEB_THREADS
from tests.bench.stow_ingest import sender
from tests.bench.support_dicomweb import address_of, interleaved, requests_a_second, server_of, wait_until_settled
from tests.bench.support_ingest import study
from tests.bench.wado import CONNECTIONS, FRAMES, ROUNDS, STUDIES
from tests.running_demo import RunningDemo, running_demo

START_TIMEOUT_S = 60
# As deploy/nginx.conf, without TLS, which no client of this benchmark speaks.
NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream web {{ server 127.0.0.1:{web}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Connection "";
    location / {{ proxy_pass http://web; }}
  }}
}}
"""


def run() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name, running_demo(Path(name) / "demo") as demo:
        folder = Path(name)
        with demo.api("integrator") as client, web(demo, workers=1) as alone, web(demo, workers=2) as both:
            paths = stored(client)
            with nginx(folder, both) as front:
                ours = server_of(client)
                value, peer_value = interleaved(
                    lambda: requests_a_second(replace(ours, port=front), paths, FRAMES, CONNECTIONS),
                    lambda: requests_a_second(replace(ours, port=alone), paths, FRAMES, CONNECTIONS),
                    ROUNDS,
                )
    yield {
        "name": "nginx_frames",
        "value": round(value, 1),
        "unit": f"frames/s of 256x256, {CONNECTIONS} connections, nginx and two web processes, {os.cpu_count()} cores",
        "peer": "one web process",
        "peer_value": round(peer_value, 1),
        "ratio": round(value / peer_value, 2),
        "goal": "5 times the peer's",
        "n": ROUNDS,
    }


def stored(client: httpx.Client) -> list[str]:
    """The frames' paths, once nothing is settled any more."""
    studies = [study(number) for number in range(STUDIES)]
    for one in studies:
        sender(client)(one)
    wait_until_settled(client)
    addresses = [address_of(content) for one in studies for content in one]
    return [f"/studies/{one}/series/{series}/instances/{uid}/frames/1" for one, series, uid in addresses]


@contextmanager
def web(demo: RunningDemo, *, workers: int) -> Iterator[int]:
    """The demo's web once more, at the port given, in so many processes."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "plaqueview.wsgi:application"]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    size = ["--workers", str(workers), "--blocking-threads", WEB_THREADS, "--no-ws", "--log-level", "warning"]
    with running([*command, *place, *size], port, environment=demo.manage_environment):
        yield port


@contextmanager
def nginx(folder: Path, web_port: int) -> Iterator[int]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise FileNotFoundError("needs nginx: apt-get install nginx-light")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, web=web_port))
    with running([program, "-c", str(configuration)], port):
        yield port


@contextmanager
def running(command: list[str], port: int, *, environment: dict[str, str] | None = None) -> Iterator[None]:
    """The server answers. Raises: TimeoutError when it does not."""
    process = subprocess.Popen(command, stdout=sys.stderr, env=environment)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} did not answer within {START_TIMEOUT_S} s")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False

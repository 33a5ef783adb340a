"""OHIF's published build before a private Orthanc, as its own container image has it: nginx, one origin for both."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.running_demo import free_ports

VERSION = "3.13.2"
TARBALL_SHA512 = (
    "5997719a9986eeba85816f5924b71b82bdd70ad2e2d4a0cd3e831a798e4f3dee"
    "a3e06e1f8c48e393271933a0ba664d85f3b04ac457e9abe8dde715d907d13c10"
)
START_TIMEOUT_S = 15

# As OHIF's guide for Orthanc has it. Masks open without a question, and no dialogue covers the first slice.
SOURCE = {
    "friendlyName": "Orthanc",
    "name": "orthanc",
    "wadoUriRoot": "/dicom-web",
    "qidoRoot": "/dicom-web",
    "wadoRoot": "/dicom-web",
    "qidoSupportsIncludeField": False,
    "imageRendering": "wadors",
    "thumbnailRendering": "wadors",
    "enableStudyLazyLoad": True,
    "supportsFuzzyMatching": False,
    "supportsWildcard": True,
    "omitQuotationForMultipartRequest": True,
    "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
}
CONFIGURATION = {
    "routerBasename": None,
    "extensions": [],
    "modes": [],
    "showStudyList": True,
    "maxNumberOfWebWorkers": 3,
    "disableConfirmationPrompts": True,
    "investigationalUseDialog": {"option": "never"},
    "defaultDataSourceName": "orthanc",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "orthanc",
            "configuration": SOURCE,
        }
    ],
}

# One process, of whoever runs the benchmark; a path that is no file is one of OHIF's own pages.
NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  types {{ text/html html; text/css css; text/javascript js; application/wasm wasm; application/json json;
          image/svg+xml svg; image/png png; font/woff2 woff2; }}
  access_log off;
  sendfile on;
  tcp_nodelay on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream orthanc {{ server {orthanc}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location = /app-config.js {{ root {folder}; }}
    location /dicom-web/ {{
      proxy_pass http://orthanc;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffers 64 16k;
    }}
    location / {{ root {build}; try_files $uri /index.html; }}
  }}
}}
"""


@contextmanager
def running_ohif(folder: Path, orthanc: httpx.Client) -> Iterator[str]:
    """OHIF answers at the address given, with what that Orthanc stores.

    Raises: FileNotFoundError when nginx or npm is not installed, ValueError when npm's registry has other bytes.
    """
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise FileNotFoundError("needs nginx to serve OHIF: apt-get install nginx-light")
    port, _ = free_ports()
    address = f"{orthanc.base_url.host}:{orthanc.base_url.port}"
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, orthanc=address, build=ohif_build()))
    (folder / "app-config.js").write_text(f"window.config = {json.dumps(CONFIGURATION)};\n")
    process = subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        wait_until_served(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def ohif_build() -> Path:
    """The folder of OHIF's static files, fetched by npm at the first use and kept in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plaqueview"
    kept = cache / f"ohif-app-{VERSION}"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            unpack_package(Path(folder))
            (Path(folder) / "package").rename(kept)
    return kept / "dist"


def unpack_package(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("needs npm to fetch OHIF: install Node.js 20.19 or newer")
    subprocess.run([npm, "pack", "--silent", f"@ohif/app@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    tarball = folder / f"ohif-app-{VERSION}.tgz"
    digest = hashlib.sha512(tarball.read_bytes()).hexdigest()
    if digest != TARBALL_SHA512:
        raise ValueError(f"{tarball.name} has SHA-512 {digest}, need {TARBALL_SHA512}")
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")


def wait_until_served(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/dicom-web/studies").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(f"nginx did not serve Orthanc's studies within {START_TIMEOUT_S} s")

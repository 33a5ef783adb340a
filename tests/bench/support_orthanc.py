"""A private Orthanc with its DICOMweb plugin, the peer of the benchmarks on studies and DICOMweb."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.running_demo import free_ports

PLUGINS = Path("/usr/share/orthanc/plugins")
START_TIMEOUT_S = 30


@contextmanager
def running_orthanc(folder: Path) -> Iterator[httpx.Client]:
    """Orthanc answers on loopback, on its SQLite index, without accounts; a client of it.

    Raises: FileNotFoundError when Orthanc or its DICOMweb plugin is not installed.
    """
    program = shutil.which("Orthanc")
    if program is None or not any(PLUGINS.glob("libOrthancDicomWeb.so*")):
        raise FileNotFoundError("needs Orthanc as a peer: apt-get install orthanc orthanc-dicomweb")
    port, dicom_port = free_ports()
    settings = {
        "HttpPort": port,
        "DicomPort": dicom_port,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(PLUGINS)],
        "AuthenticationEnabled": False,
        "RemoteAccessAllowed": False,
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(configuration)], stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
    try:
        wait_until_it_answers(client)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(timeout=30)


def wait_until_it_answers(client: httpx.Client) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if client.get("/system").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(f"Orthanc did not answer within {START_TIMEOUT_S} s")

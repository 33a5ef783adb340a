"""C-STORE: dcmtk's storescu, an association a study, from one sender and from four, beside Orthanc's."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.support_ingest import Send, Study, both_running, lines
from tests.pacs.peers import PATH


def run() -> Iterator[dict[str, object]]:
    program = shutil.which("storescu", path=PATH)
    if program is None:
        raise FileNotFoundError("needs storescu: apt-get install dcmtk")
    with both_running() as both:
        orthanc_port = int(both.orthanc.get("/system").json()["DicomPort"])
        yield from lines(
            "cstore_ingest",
            sender(program, "PLAQUEVIEW", both.demo.dicom_port),
            sender(program, "ORTHANC", orthanc_port),
            demo=both.demo,
        )


def sender(program: str, title: str, port: int) -> Send:
    def send(study: Study) -> None:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            for index, content in enumerate(study):
                Path(folder, f"{index:04}.dcm").write_bytes(content)
            command = [program, "--call", title, "--scan-directories", "127.0.0.1", str(port), folder]
            subprocess.run(command, check=True, capture_output=True)

    return send

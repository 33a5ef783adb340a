"""STOW-RS: a study a request, from one sender and from four, beside Orthanc's."""

from collections.abc import Iterator

import httpx

from tests.bench.support_ingest import Send, Study, both_running, lines

BOUNDARY = "plaqueview-bench"
CONTENT_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def run() -> Iterator[dict[str, object]]:
    with both_running() as both, both.demo.api("integrator") as ours:
        yield from lines("stow_ingest", sender(ours), sender(both.orthanc), demo=both.demo)


def sender(client: httpx.Client) -> Send:
    def send(study: Study) -> None:
        answer = client.post("/dicom-web/studies", content=body_of(study), headers={"Content-Type": CONTENT_TYPE})
        answer.raise_for_status()

    return send


def body_of(study: Study) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + content + b"\r\n" for content in study) + f"--{BOUNDARY}--\r\n".encode()

"""A demo's pages before and after its rows are sealed, in this process: `python -m tests.bench.support_sealed TOKEN`.

By the processor's time, which a busy machine lengthens little.
"""

import base64
import json
import statistics
import sys
import time
from collections.abc import Mapping

import django

django.setup()

from django.conf import settings  # noqa: E402  (needs the settings)
from django.test import Client  # noqa: E402  (needs the app registry)

from plaqueview.operations.sealing import bring_into_form  # noqa: E402  (needs the app registry)

ROUNDS = 15
PAGES: Mapping[str, str] = {
    "page": "/api/v1/studies?page_size=50",
    "search": "/api/v1/studies?page_size=50&search=0042",
    "by_name": "/api/v1/studies?page_size=50&ordering=patient_name",
    "patients": "/api/v1/patients?page_size=50",
    "qido": "/dicom-web/studies?limit=25",
    "qido_id": "/dicom-web/studies?limit=25&PatientID=B000042",
    "qido_name": "/dicom-web/studies?limit=25&PatientName=*0001*",
}


def milliseconds(client: Client, path: str) -> float:
    """The median of the page's answers; the first one warms up and is dropped."""
    times = []
    for _ in range(ROUNDS + 1):
        started = time.process_time()
        answer = client.get(path)
        times.append((time.process_time() - started) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: status {answer.status_code}, needs 200")
    return statistics.median(times[1:])


def measure(token: str) -> dict[str, object]:
    client = Client(headers={"Authorization": f"Bearer {token}"})
    clear = {name: milliseconds(client, path) for name, path in PAGES.items()}
    settings.IDENTIFIER_KEYS = (base64.b64encode(bytes(range(32))).decode(),)
    started = time.process_time()
    brought = {one.table: one for one in bring_into_form()}
    rows = sum(one.rows for one in brought.values())
    rows_per_second = rows / (time.process_time() - started)
    sealed = {name: milliseconds(client, path) for name, path in PAGES.items()}
    return {"rounds": ROUNDS, "clear": clear, "sealed": sealed, "rows_per_second": rows_per_second}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))

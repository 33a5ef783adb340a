"""The report's pages over HTTP, as a reader asks for them: a study of the demo that has a prior, in four languages."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.running_demo import running_demo

ROUNDS = 5
GOAL_S = 2.0
LANGUAGES = ("en", "de", "es", "fa")


def run() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo, demo.api() as api:
        address = f"/api/v1/annotations/{newest_version(api)}/report.pdf"
        asked(api, address, "en")  # the first one loads the fonts
        times = [asked(api, address, language) for _ in range(ROUNDS) for language in LANGUAGES]
    value = statistics.median(times)
    yield {
        "name": "report_pdf",
        "value": round(value, 3),
        "unit": "s",
        "peer": "the limit",
        "peer_value": GOAL_S,
        "ratio": round(GOAL_S / value, 2),
        "goal": GOAL_S,
        "n": len(times),
    }


def newest_version(api: httpx.Client) -> str:
    """Of the latest study, which is that with a prior."""
    studies = api.get("/api/v1/studies", params={"ordering": "-study_date"}).json()["results"]
    with_prior = next(one for one in studies if api.get(f"/api/v1/studies/{one['id']}").json()["priors"])
    return str(with_prior["annotation"]["id"])


def asked(api: httpx.Client, address: str, language: str) -> float:
    started = time.perf_counter()
    answer = api.get(address, params={"language": language})
    seconds = time.perf_counter() - started
    if answer.status_code != 200 or not answer.content.startswith(b"%PDF"):
        raise RuntimeError(f"the report in {language} was answered with {answer.status_code}")
    return seconds

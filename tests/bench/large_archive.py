"""Every route that a reader, an administrator and a viewer meet, in a department with 100,000 studies.

PostgreSQL holds 6 million instance rows of 40,000 patients at three sites (`support_archive`), behind the services of
`deploy/compose.yaml`. A line says the p95 or the median, beside the same route when the department had its first 1,000
studies, or the p95 of eight clients at once beside that of one. It needs root, 15 GB of disk and a quarter of an hour.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.bench.worklist_page import percentile_95
from tests.drills.__main__ import speak_to
from tests.drills.department import READY_TIMEOUT_S, Department, running_department, wait_until

FEW, MANY = 1_000, 100_000
WARM_UP, REQUESTS = 3, 50
AT_ONCE, EACH = 8, 10
LONGEST_S, FEWEST = 20.0, 3
PAGE_SIZE, SAMPLE = 50, 200
GOAL_MS = 150.0
METRICS_TOKEN = "only-for-a-benchmark-0123456789-abcdef"
SETTINGS = {"PLAQUEVIEW_METRICS_TOKEN": METRICS_TOKEN, "PLAQUEVIEW_REQUESTS_PER_MINUTE": "1000000"}

API, WEB = "/api/v1", "/dicom-web"
LIST = f"{API}/studies?page_size=50"

# By who asks: a reader of one site with a session, an administrator of three sites with a session, and a viewer of
# three sites with a token. {braces} are taken from a study that is drawn for each request; {page} is in the middle.
ROUTES: Mapping[str, Mapping[str, str]] = {
    "neurologist": {
        "worklist": LIST,
        "worklist_middle": f"{LIST}&page={{middle}}",
        "worklist_last": f"{LIST}&page={{last}}",
        "worklist_state": f"{LIST}&state=ready",
        "worklist_states": f"{LIST}&state=in_review&state=failed",
        "worklist_unread": f"{LIST}&reading=unread",
        "worklist_mine": f"{LIST}&assigned=me",
        "worklist_nobodys": f"{LIST}&assigned=nobody&reading=unread",
        "worklist_follow_up": f"{LIST}&follow_up=due",
        "worklist_patient": f"{LIST}&patient={{patient}}",
        "worklist_since": f"{LIST}&received_after={{day}}T00:00:00Z",
        "worklist_by_name": f"{LIST}&ordering=patient_name",
        "worklist_by_name_middle": f"{LIST}&ordering=patient_name&page={{middle}}",
        "worklist_by_date": f"{LIST}&ordering=-study_date",
        "worklist_by_state": f"{LIST}&ordering=state",
        "worklist_by_active": f"{LIST}&ordering=-active_count",
        "worklist_by_inactive": f"{LIST}&ordering=-inactive_count",
        "search_name": f"{LIST}&search={{family}}",
        "search_names": f"{LIST}&search={{family}}+{{given}}",
        "search_id": f"{LIST}&search={{patient_id}}",
        "search_accession": f"{LIST}&search={{accession}}",
        "search_anything": f"{LIST}&search=mr",
        "search_nothing": f"{LIST}&search=qqxyz",
        "next_study": f"{API}/studies/next",
        "next_after": f"{API}/studies/next?after={{study}}",
        "summary": f"{API}/summary",
        "study": f"{API}/studies/{{study}}",
        "study_versions": f"{API}/studies/{{study}}/annotations",
        "study_lesions": f"{API}/studies/{{study}}/lesions",
        "study_comments": f"{API}/studies/{{study}}/comments",
        "study_jobs": f"{API}/studies/{{study}}/jobs",
        "patients": f"{API}/patients",
        "patients_middle": f"{API}/patients?page={{few_patients}}",
        "patients_search": f"{API}/patients?search={{family}}",
        "patient": f"{API}/patients/{{patient}}",
        "patient_timeline": f"{API}/patients/{{patient}}/timeline",
    },
    "admin": {
        "sites_worklist": LIST,
        "sites_worklist_middle": f"{LIST}&page={{middle}}",
        "sites_worklist_last": f"{LIST}&page={{last}}",
        "sites_worklist_state": f"{LIST}&state=ready",
        "sites_worklist_by_name": f"{LIST}&ordering=patient_name",
        "sites_worklist_by_active": f"{LIST}&ordering=-active_count",
        "sites_worklist_teaching": f"{LIST}&teaching=known&ordering=-teaching_score",
        "sites_worklist_follow_up": f"{LIST}&follow_up=due",
        "sites_search_name": f"{LIST}&search={{family}}",
        "sites_search_anything": f"{LIST}&search=mr",
        "sites_patients": f"{API}/patients",
        "sites_next_study": f"{API}/studies/next",
        "sites_summary": f"{API}/summary",
        "jobs": f"{API}/jobs",
        "jobs_succeeded": f"{API}/jobs?state=succeeded&page={{middle}}",
        "jobs_failed": f"{API}/jobs?state=failed",
        "cohort": f"{API}/cohort",
        "cohort_counted_anew": f"{API}/cohort?since={{long_ago}}",
        "monitoring": f"{API}/monitoring",
        "double_readings": f"{API}/double-readings",
        "reruns": f"{API}/reruns",
        "models": f"{API}/models",
        "transfers": f"{API}/transfers",
        "audit": f"{API}/audit",
        "audit_middle": f"{API}/audit?page={{middle}}",
        "audit_kind": f"{API}/audit?kind=study.received",
        "audit_object": f"{API}/audit?object={{study}}",
        "audit_day": f"{API}/audit?since={{day}}T00:00:00Z&until={{day}}T23:00:00Z",
        "audit_who": f"{API}/audit?actor_name=kovac",
    },
    "integrator": {
        "qido_studies": f"{WEB}/studies?limit=25",
        "qido_studies_middle": f"{WEB}/studies?limit=25&offset={{offset}}",
        "qido_studies_name": f"{WEB}/studies?limit=25&PatientName={{name}}",
        "qido_studies_name_begins": f"{WEB}/studies?limit=25&PatientName={{family}}*",
        "qido_studies_name_holds": f"{WEB}/studies?limit=25&PatientName=*{{within}}*",
        "qido_studies_fuzzy": f"{WEB}/studies?limit=25&PatientName={{family}}&fuzzymatching=true",
        "qido_studies_id": f"{WEB}/studies?limit=25&PatientID={{patient_id}}",
        "qido_studies_id_begins": f"{WEB}/studies?limit=25&PatientID={{id_begins}}*",
        "qido_studies_accession": f"{WEB}/studies?AccessionNumber={{accession}}",
        "qido_studies_uid": f"{WEB}/studies?StudyInstanceUID={{uid}}",
        "qido_studies_date": f"{WEB}/studies?limit=25&StudyDate={{dicom_day}}",
        "qido_studies_dates": f"{WEB}/studies?limit=25&StudyDate={{dicom_day}}-",
        "qido_studies_modality": f"{WEB}/studies?limit=25&ModalitiesInStudy=MR",
        "qido_studies_rare_modality": f"{WEB}/studies?limit=25&ModalitiesInStudy=CT",
        "qido_studies_nobody": f"{WEB}/studies?limit=25&PatientName=Qqxyz*",
        "qido_series": f"{WEB}/series?limit=25",
        "qido_series_modality": f"{WEB}/series?limit=25&Modality=CT",
        "qido_series_id": f"{WEB}/series?limit=25&PatientID={{patient_id}}",
        "qido_series_name": f"{WEB}/series?limit=25&PatientName={{family}}*",
        "qido_series_uid": f"{WEB}/series?SeriesInstanceUID={{series_uid}}",
        "qido_series_of_study": f"{WEB}/studies/{{uid}}/series",
        "qido_instances": f"{WEB}/instances?limit=25",
        "qido_instances_id": f"{WEB}/instances?limit=25&PatientID={{patient_id}}",
        "qido_instances_uid": f"{WEB}/instances?SOPInstanceUID={{series_uid}}.3",
        "qido_instances_of_study": f"{WEB}/studies/{{uid}}/instances",
        "qido_instances_of_series": f"{WEB}/studies/{{uid}}/series/{{series_uid}}/instances",
        "metadata": f"{WEB}/studies/{{uid}}/metadata",
    },
    "scraper": {"metrics": "/metrics"},
}
# What may not be there: nobody has that name, and a study without a result has no lesions.
ANSWERS = {httpx.codes.OK, httpx.codes.NO_CONTENT}
PEOPLE = ("neurologist", "admin")
CSRF_COOKIE = "plaqueview_csrftoken"


@dataclass(frozen=True)
class Places:
    """What the braces of a route become."""

    rows: Sequence[Mapping[str, object]]
    pages: int

    def drawn(self, path: str, random: Random) -> str:
        common = {"middle": self.pages // 2, "last": self.pages, "few_patients": max(1, self.pages // 4)}
        # Before every study: all of them are in what is asked for, and hardly ever was it asked for before.
        long_ago = date(1900, 1, 1) + timedelta(days=random.randrange(20_000))
        own = {"offset": self.pages * 25, "long_ago": long_ago.isoformat()}
        return path.format_map({**random.choice(self.rows), **common, **own})


def run() -> Iterator[dict[str, object]]:
    with (
        tempfile.TemporaryDirectory(prefix="plaqueview-archive-") as name,
        running_department(Path(name), settings=SETTINGS) as department,
    ):
        speak_to(department)
        from tests.bench.support_archive import fill
        from tests.bench.support_archive_patterns import make_patterns

        credentials = json.loads((Path(name) / "credentials.json").read_text())
        with signed_in(department, credentials, "neurologist") as reader:
            patterns = make_patterns(department, reader)
        with resting(department):
            fill(patterns, first=0, last=FEW - 1)
        few = measured(department, credentials, together=False)
        with resting(department):
            fill(patterns, first=FEW, last=MANY - 1)
        yield from lines(few, measured(department, credentials, together=True))


@dataclass(frozen=True)
class Times:
    """Milliseconds of every answer: to one client, and to several at once."""

    alone: Sequence[float]
    together: Sequence[float]


def lines(few: Mapping[str, Times], many: Mapping[str, Times]) -> Iterator[dict[str, object]]:
    for route, times in many.items():
        others, p95 = few[route].alone, percentile_95(times.alone)
        name, peer = f"large_archive_{route}", f"with {FEW} studies"
        yield line(f"{name}_p95", p95, peer, percentile_95(others), len(times.alone), f"under {GOAL_MS:g} ms")
        yield line(f"{name}_median", statistics.median(times.alone), peer, statistics.median(others), len(times.alone))
        if times.together:
            together = percentile_95(times.together)
            yield line(f"{name}_p95_of_{AT_ONCE}", together, "one client", p95, len(times.together))


def line(name: str, value: float, peer: str, peer_value: float, n: int, goal: str = "") -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": f"ms, {MANY} studies",
        "peer": peer,
        "peer_value": round(peer_value, 1),
        "ratio": round(peer_value / value, 2),
        "goal": goal,
        "n": n,
    }


@contextmanager
def resting(department: Department) -> Iterator[None]:
    """Within, nobody looks for work among half of the rows."""
    services = [department.services[name] for name in ("clock", "tasks", "inference")]
    for service in services:
        service.stop()
    yield
    for service in services:
        service.start()
    wait_until(department.is_ready, what="the department to be ready", timeout_s=READY_TIMEOUT_S)


def measured(
    department: Department, credentials: Mapping[str, Mapping[str, str]], *, together: bool
) -> Mapping[str, Times]:
    """By route."""
    places, times = sample(), {"join_feed": Times(joining(department), ())}
    for account, routes in ROUTES.items():
        with ExitStack() as stack:
            first = stack.enter_context(signed_in(department, credentials, account))
            clients = [first, *(stack.enter_context(like(first)) for _ in range(AT_ONCE - 1))]
            for route, path in routes.items():
                draw = partial(places.drawn, path)
                alone = asked(clients[0], draw, seed=0, requests=REQUESTS)
                times[route] = Times(alone, asked_together(clients, draw) if together else ())
    return times


def asked_together(clients: Sequence[httpx.Client], draw: Callable[[Random], str]) -> Sequence[float]:
    """No two clients ask for the same."""
    with ThreadPoolExecutor(len(clients)) as pool:
        seeds = range(1, 1 + len(clients))
        every = pool.map(lambda client, seed: asked(client, draw, seed=seed, requests=EACH), clients, seeds)
        return [*chain.from_iterable(every)]


def asked(client: httpx.Client, draw: Callable[[Random], str], *, seed: int, requests: int) -> list[float]:
    """The first answers warm up and are dropped; a route that takes seconds is asked less often."""
    random, times, deadline = Random(seed), [], time.monotonic() + LONGEST_S
    for turn in range(WARM_UP + requests):
        path = draw(random)
        started = time.perf_counter()
        answer = client.get(path)
        if turn >= WARM_UP:
            times.append((time.perf_counter() - started) * 1000)
        if answer.status_code not in ANSWERS:
            raise RuntimeError(f"{path}: status {answer.status_code}, needs one of {sorted(ANSWERS)}")
        if time.monotonic() > deadline and len(times) >= FEWEST:
            break
    return times


def joining(department: Department) -> list[float]:
    """Milliseconds from a page's socket to the answer that it follows the worklist."""
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        with connect(department.feed_url, **department.feed_options) as socket:
            socket.send('{"type": "subscribe", "topic": "worklist"}')
            socket.recv(timeout=10)
            times.append((time.perf_counter() - started) * 1000)
    return times


@contextmanager
def signed_in(
    department: Department, credentials: Mapping[str, Mapping[str, str]], account: str
) -> Iterator[httpx.Client]:
    """People have a session, programs a token."""
    with httpx.Client(base_url=department.url, timeout=120) as client:
        if account in PEOPLE:
            client.get("/_allauth/browser/v1/auth/session")
            headers = {"X-CSRFToken": client.cookies[CSRF_COOKIE], "Origin": department.url}
            body = {name: credentials[account][name] for name in ("username", "password")}
            client.post("/_allauth/browser/v1/auth/login", json=body, headers=headers).raise_for_status()
            client.headers["X-CSRFToken"] = client.cookies[CSRF_COOKIE]
        else:
            token = METRICS_TOKEN if account == "scraper" else credentials[account]["token"]
            client.headers["Authorization"] = f"Bearer {token}"
        yield client


def like(client: httpx.Client) -> httpx.Client:
    """The same account once more, by a connection of its own."""
    return httpx.Client(
        base_url=client.base_url, headers=client.headers, cookies=client.cookies, timeout=client.timeout
    )


def sample() -> Places:
    """Studies of the first site that have a result, spread evenly."""
    from plaqueview.accounts.models import Site
    from plaqueview.studies.models import Study

    own = Study.objects.filter(site=Site.objects.order_by("created").first())
    count = own.count()
    read = own.exclude(current_annotation_id=None).exclude(patient__patient_id__startswith="PATTERN")
    studies = read.select_related("patient").order_by("id")[:SAMPLE]
    return Places([braces_of(study) for study in studies], pages=count // PAGE_SIZE)


def braces_of(study: Any) -> Mapping[str, object]:  # Any: a Study, known once Django is
    family, given = study.patient.name.split("^")
    return {
        "study": study.pk,
        "uid": study.study_instance_uid,
        "series_uid": f"{study.study_instance_uid}.0",
        "accession": study.accession_number,
        "day": f"{study.study_date:%Y-%m-%d}",
        "dicom_day": f"{study.study_date:%Y%m%d}",
        "patient": study.patient_id,
        "patient_id": study.patient.patient_id,
        "id_begins": study.patient.patient_id[:5],
        "name": study.patient.name,
        "family": family,
        "given": given,
        "within": family[1:5].lower(),
    }

"""The processes of the embedded mode: one table."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec

from plaqueview.launcher.broker import Broker
from plaqueview.launcher.plan import DemoPlan

# Two workers in which two requests compute at once answered most requests with the shortest tail
# (docs/decisions/0002-wsgi-and-asgi.md); the other threads wait for slow lines (plaqueview.core.seats).
WEB_WORKERS, WEB_THREADS = "2", "16"
# A request under way, an upload for one, may end when its server is to; a page's socket never does.
LONGEST_ENDING_S = {"wsgi": "20", "asginl": "2"}
# Short tasks follow on what a person or a sender waits for, who goes first while both want the cores.
NICENESS_OF_TASKS, NICENESS_OF_TRAINING = "5", "10"
INFERENCE_TASKS = ("inference_worker.tasks", "inference_worker.enhancement_tasks", "inference_worker.shadow_tasks")


@dataclass(frozen=True)
class Program:
    """A process that is started again when it ends; its output goes to `logs/<name>.log`."""

    name: str
    command: tuple[str, ...]


def broker_program(broker: Broker) -> Program:
    """The bundled broker; first to start, last to end."""
    return Program("broker", broker.command)


def clock_program() -> Program:
    """Names the tasks that are due; nobody waits for it, so it leaves the start to the others."""
    return Program("clock", _celery("beat", "--pidfile", ""))


def programs_of(plan: DemoPlan) -> tuple[Program, ...]:
    """Everything that a user waits for, beside the broker."""
    return (
        Program("web", _granian("wsgi", "plaqueview.wsgi:application", port=plan.port)),
        Program("feed", _granian("asginl", "plaqueview.asgi:application", port=plan.feed_port)),
        Program("inference", _worker("inference", threads=1, includes=INFERENCE_TASKS)),
        Program("tasks", _nice(NICENESS_OF_TASKS, _worker("default", threads=2))),
        Program("dicom", management("dicom_listener", "--port", str(plan.dicom_port))),
    )


def training_programs() -> tuple[Program, ...]:
    """A worker that trains, where torch is installed; everything else on this machine goes first, its start too."""
    if find_spec("torch") is None:
        return ()
    command = _worker("training", threads=1, includes=("inference_worker.training_tasks",))
    return (Program("training", _nice(NICENESS_OF_TRAINING, command)),)


def management(*words: str) -> tuple[str, ...]:
    """Django's command line in a process of its own."""
    return (sys.executable, "-m", "django", *words)


def worker_command(*words: str) -> tuple[str, ...]:
    """The worker's command line in a process of its own."""
    return (sys.executable, "-m", "inference_worker", *words)


def _granian(interface: str, application: str, *, port: int) -> tuple[str, ...]:
    size = ("--workers", WEB_WORKERS, "--blocking-threads", WEB_THREADS, "--no-ws") if interface == "wsgi" else ()
    return (
        *(sys.executable, "-m", "granian", "--interface", interface, application),
        *("--host", "127.0.0.1", "--port", str(port), *size),
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
        *("--workers-kill-timeout", LONGEST_ENDING_S[interface], "--log-level", "warning"),
    )


def _worker(queue: str, *, threads: int, includes: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Threads, not forks: a network that was loaded before a fork does not survive it on macOS."""
    included = ("--include", ",".join(includes)) if includes else ()
    return _celery(
        "worker",
        *("--queues", queue, "--hostname", f"{queue}@%h", "--pool", "threads", "--concurrency", str(threads)),
        *("--without-gossip", "--without-mingle", *included),
    )


def _nice(niceness: str, command: tuple[str, ...]) -> tuple[str, ...]:
    return ("nice", "-n", niceness, *command)


def _celery(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "--app", "plaqueview.celery:celery_app", *words, "--loglevel", "INFO")

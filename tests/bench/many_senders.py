"""20,000 instances from eight senders at once, four by C-STORE and four by STOW-RS: what is lost, doubled, and held.

Each tenth study is sent a second time, by the other protocol, as when a modality and a PACS both send it.
"""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.bench.cstore_ingest import sender as dimse_sender
from tests.bench.stow_ingest import sender as web_sender
from tests.bench.support_ingest import Send, study
from tests.pacs.peers import PATH
from tests.running_demo import RunningDemo, running_demo

SENDERS, STUDIES, SLICES, SIDE = 8, 50, 50, 128
SENT_TWICE = 10
GOAL = "no loss, no duplicate, memory flat"


def run() -> Iterator[dict[str, object]]:
    program = shutil.which("storescu", path=PATH)
    if program is None:
        raise FileNotFoundError("needs storescu: apt-get install dcmtk")
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "demo") as demo, demo.api("admin") as api:
        sends = [dimse_sender(program, "PLAQUEVIEW", demo.dicom_port), web_sender(api)]
        before = stored(demo)
        memory = Memory(demo)
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(lambda number: send_all(number, sends, memory), range(SENDERS)))
        kept, rows = (after - then for after, then in zip(stored(demo), before, strict=True))
    wanted = SENDERS * STUDIES * SLICES
    yield line("many_senders_lost", wanted - kept, f"of {wanted} instances from {SENDERS} senders")
    yield line("many_senders_doubled", rows - kept, "instances that are kept twice")
    for name, values in memory.at_quarters().items():
        unit = f"MB more at the end than after a quarter of the studies; at each quarter {values}"
        yield line(f"many_senders_memory_{name}", values[-1] - values[0], unit)


def send_all(number: int, sends: list[Send], memory: "Memory") -> None:
    own, other = sends[number % 2], sends[1 - number % 2]
    for index in range(STUDIES):
        content = study(number * STUDIES + index, slices=SLICES, side=SIDE)
        own(content)
        if index % SENT_TWICE == 0:
            other(content)
        memory.tick()


def stored(demo: RunningDemo) -> tuple[int, int]:
    """Different instances, by their UIDs, and rows of them."""
    address = f"file:{demo.data_dir}/plaqueview.sqlite3?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        found = database.execute("SELECT count(DISTINCT sop_instance_uid), count(*) FROM studies_instance")
        kept, rows = found.fetchone()
    return kept, rows


class Memory:
    """Resident memory of the listener and of the web processes, as the studies come in."""

    def __init__(self, demo: RunningDemo) -> None:
        port = demo.url.rpartition(":")[2]
        self._words = {"listener": {"dicom_listener", str(demo.dicom_port)}, "web": {"granian", port}}
        self._lock, self._sent = threading.Lock(), 0
        self._seen: dict[str, list[int]] = {name: [] for name in self._words}

    def tick(self) -> None:
        """One more study is in; at each quarter of all it is looked at what is held."""
        with self._lock:
            self._sent += 1
            if self._sent % (SENDERS * STUDIES // 4) == 0:
                for name, words in self._words.items():
                    self._seen[name].append(resident_mb(words))

    def at_quarters(self) -> Mapping[str, list[int]]:
        return self._seen


def resident_mb(wanted: set[str]) -> int:
    """Of all processes with these words on their command line, and of their children."""
    processes = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdecimal()}
    words = {pid: read(path / "cmdline").split("\0") for pid, path in processes.items()}
    stat = {pid: read(path / "stat").rpartition(")")[2].split() for pid, path in processes.items()}
    named = {pid for pid in processes if wanted <= set(words[pid])}
    family = {pid for pid in processes if pid in named or (len(stat[pid]) > 1 and int(stat[pid][1]) in named)}
    pages = [int(found[1]) for pid in family if len(found := read(processes[pid] / "statm").split()) > 1]
    return sum(pages) * 4096 // 2**20


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


def line(name: str, value: int, unit: str) -> dict[str, object]:
    no_peer = {"peer": None, "peer_value": None, "ratio": None}
    return {"name": name, "value": value, "unit": unit, **no_peer, "goal": GOAL, "n": 1}

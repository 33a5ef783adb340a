"""C-STORE and C-ECHO with real peers: pynetdicom and dcmtk's tools, against the process that a hospital runs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from django.db import connection
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, MRImageStorage, RLELossless
from pynetdicom import AE, _config, build_context, evt

from plaqueview.core.disk import incoming
from plaqueview.core.storage import stored_path
from plaqueview.pacs.failures import CANNOT_UNDERSTAND, DUPLICATE_SOP_INSTANCE, OUT_OF_RESOURCES, SUCCESS
from plaqueview.pacs.listener import Listener
from plaqueview.studies.models import Instance, Study, StudyState
from tests.studies.dicom_files import encoded, ljubljana, receive_bytes, series
from tests.studies.test_settling import tasks_in

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]

# pynetdicom puts programs of the same names beside the interpreter.
PATH = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != Path(sys.executable).parent)
needs_dcmtk = pytest.mark.skipif(shutil.which("storescu", path=PATH) is None, reason="needs dcmtk's storescu")


@dataclass(frozen=True)
class Running:
    """The listener as `make demo` runs it, a process of its own."""

    process: subprocess.Popen
    port: int


def database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def command_and_environment(port: int, variables: dict[str, str]) -> dict:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PLAQUEVIEW_DATABASE_URL": database_url(),
        "PLAQUEVIEW_SITE": "Ljubljana",
        "PYTHONPATH": str(ROOT / "platform"),
        **variables,
    }
    return {"args": [sys.executable, "-m", "django", "dicom_listener", "--port", str(port)], "env": environment}


def start(*, address: str = "127.0.0.1", **variables: str) -> Running:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(**command_and_environment(port, variables), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == f"PLAQUEVIEW listens at {address}, port {port}\n"
    return Running(process, port)


def stop(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=60) == 0
    running.process.stdout.close()


@pytest.fixture
def process() -> Iterator[Running]:
    running = start()
    yield running
    stop(running)


@dataclass(frozen=True)
class Inside:
    """The listener in this process: the same threads and sockets, without the wait for another interpreter."""

    port: int


@pytest.fixture
def listener() -> Iterator[Inside]:
    running = Listener(site=ljubljana())
    yield Inside(running.address[1])
    running.stop()


def associate(running: Running | Inside, *syntaxes: str, calling: str = "SCANNER", called: str = "PLAQUEVIEW"):
    entity = AE(ae_title=calling)
    contexts = [build_context(MRImageStorage, syntax) for syntax in syntaxes or (ExplicitVRLittleEndian,)]
    return entity.associate("127.0.0.1", running.port, contexts=contexts, ae_title=called)


def send(running: Running | Inside, datasets) -> list[int]:
    association = associate(running)
    assert association.is_established
    statuses = [association.send_c_store(dataset).Status for dataset in datasets]
    association.release()
    return statuses


def eventually(check: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.05)
    return check()


@pytest.mark.peers
@needs_dcmtk
def test_echoscu_gets_its_answer(process):
    done = subprocess.run(
        [shutil.which("echoscu", path=PATH), "-aec", "PLAQUEVIEW", "127.0.0.1", str(process.port)], check=False
    )

    assert done.returncode == 0


@pytest.mark.peers
@needs_dcmtk
def test_storescu_stores_a_study_which_is_then_settled(process, tmp_path, empty_broker):
    datasets = series(60)
    for index, dataset in enumerate(datasets):
        (tmp_path / f"{index}.dcm").write_bytes(encoded(dataset))

    done = subprocess.run(
        [
            shutil.which("storescu", path=PATH),
            "-aec",
            "PLAQUEVIEW",
            "+sd",
            "127.0.0.1",
            str(process.port),
            str(tmp_path),
        ],
        check=False,
    )

    assert done.returncode == 0
    study = Study.objects.get()
    assert (study.instance_count, study.site.name, study.state) == (60, "Ljubljana", StudyState.RECEIVING)
    assert eventually(lambda: tasks_in(empty_broker) != [])
    assert tasks_in(empty_broker)[0][0] == "studies.settle"


def test_the_dataset_is_kept_as_the_peer_encoded_it(listener):
    dataset = series(1)[0]
    content = encoded(dataset)

    assert send(listener, [dataset]) == [SUCCESS]

    kept = stored_path(Instance.objects.get().storage_key).read_bytes()
    body = content[content.index(b"\x08\x00\x08\x00CS") :]
    assert kept.endswith(body)
    assert kept[128:132] == b"DICM"
    assert Instance.objects.get().transfer_syntax_uid == ExplicitVRLittleEndian


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_compressed_pixels_are_kept_without_decoding(syntax, listener):
    dataset = series(1)[0]
    if syntax.is_compressed:
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    content = encoded(dataset, syntax=syntax)
    association = associate(listener, syntax)
    status = association.send_c_store(dcmread(BytesIO(content))).Status
    association.release()

    assert status == SUCCESS
    kept = Instance.objects.get()
    assert kept.transfer_syntax_uid == syntax
    assert stored_path(kept.storage_key).read_bytes()[-200:] == content[-200:]


def test_duplicate_conflict_and_nonsense_have_their_statuses(listener):
    datasets = series(2)
    assert send(listener, datasets[:1]) == [SUCCESS]
    nameless = datasets[1]
    del nameless.SeriesInstanceUID

    again = send(listener, datasets[:1])
    datasets[0].PixelData = b"\1\0" * 256
    other, broken = send(listener, [datasets[0], nameless])

    assert (again, other, broken) == ([SUCCESS], DUPLICATE_SOP_INSTANCE, CANNOT_UNDERSTAND)
    assert Instance.objects.count() == 1


def test_a_file_that_was_uploaded_is_a_duplicate_by_c_store(listener):
    dataset = series(1)[0]
    receive_bytes(encoded(dataset))

    assert send(listener, [dataset]) == [SUCCESS]
    assert Instance.objects.count() == 1


def test_four_senders_of_one_study_lose_and_double_nothing(listener):
    datasets = series(40)
    statuses: list[int] = []

    def share(first: int) -> None:
        statuses.extend(send(listener, datasets[first::2]))

    senders = [threading.Thread(target=share, args=(index % 2,)) for index in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert statuses == [SUCCESS] * 80
    assert Study.objects.get().instance_count == 40 == Instance.objects.count()


def test_another_called_title_is_refused(listener):
    association = associate(listener, called="SOMEBODY")

    assert association.is_rejected


def test_only_named_callers_are_answered():
    running = start(address="0.0.0.0", PLAQUEVIEW_DICOM_CALLING_AE_TITLES="SCANNER,ARCHIVE")
    try:
        known, unknown = associate(running, calling="ARCHIVE"), associate(running, calling="STRANGER")

        assert (known.is_established, unknown.is_rejected) == (True, True)
        known.release()
    finally:
        stop(running)


def test_a_disk_that_is_nearly_full_refuses_before_it_is(listener, settings):
    settings.DISK_RESERVE_BYTES = 2**60

    assert send(listener, series(1)) == [OUT_OF_RESOURCES]
    assert not Instance.objects.exists()


def test_an_association_dropped_midway_leaves_nothing_half_kept(listener):
    datasets = series(3)
    association = associate(listener)
    association.send_c_store(datasets[0])
    association.abort()

    assert send(listener, datasets[1:]) == [SUCCESS, SUCCESS]
    assert Instance.objects.count() == 3


def test_a_line_cut_within_an_instance_leaves_nothing_of_it(listener):
    large, small = series(1, side=2048)[0], series(1)[0]
    before = set(incoming().iterdir())  # of other tests
    sent: list[int] = []

    def cut(event: evt.Event) -> None:
        sent.append(len(event.data))
        if sum(sent) > large.Rows * large.Columns:  # half of its bytes
            event.assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)

    contexts = [build_context(MRImageStorage, ExplicitVRLittleEndian)]
    association = AE(ae_title="SCANNER").associate(
        "127.0.0.1", listener.port, contexts, ae_title="PLAQUEVIEW", evt_handlers=[(evt.EVT_DATA_SENT, cut)]
    )
    with suppress(RuntimeError):  # the library's, for a line that it still believed in
        association.send_c_store(large)

    assert send(listener, [small]) == [SUCCESS]
    assert Instance.objects.get().sop_instance_uid == small.SOPInstanceUID
    assert eventually(lambda: set(incoming().iterdir()) == before), set(incoming().iterdir()) - before


def test_a_listener_that_has_stopped_leaves_the_process_as_it_was():
    before = (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET)

    listener = Listener(site=ljubljana())
    meanwhile = (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET)
    listener.stop()

    assert meanwhile == (str(incoming()), True)
    assert (tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET) == before


def associates(running: Inside) -> bool:
    association = associate(running)
    if association.is_established:
        association.release()
    return association.is_released


def test_a_killed_listener_keeps_what_it_acknowledged():
    running = start()
    datasets = series(30)
    association = associate(running)
    statuses = {dataset.SOPInstanceUID: association.send_c_store(dataset).Status for dataset in datasets[:12]}
    running.process.kill()
    running.process.wait()
    running.process.stdout.close()
    association.abort()
    line = association.dul.socket
    if line is not None and line.socket is not None:  # the library has seen that it was cut, or not yet
        line.socket.close()

    kept = {one.sop_instance_uid: one for one in Instance.objects.all()}

    assert set(statuses.values()) == {SUCCESS}
    assert set(statuses) == set(kept)
    assert all(stored_path(one.storage_key).stat().st_size == one.size_bytes for one in kept.values())
    running = start()
    try:
        assert send(running, datasets) == [SUCCESS] * 30
        assert Instance.objects.count() == 30
    finally:
        stop(running)


def children_of(running: Running) -> set[int]:
    pid = running.process.pid
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_running(pid: int) -> bool:
    """Not so once it only waits for somebody to hear that it ended."""
    file = Path(f"/proc/{pid}/stat")
    return file.exists() and file.read_text().rpartition(")")[2].split()[0] != "Z"


has_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


@has_proc
def test_a_process_that_dies_is_followed_by_another(process):
    datasets = series(20)
    before = children_of(process)
    dead = min(before)

    os.kill(dead, signal.SIGKILL)

    assert send(process, datasets[:10]) == [SUCCESS] * 10  # by the one that is left
    assert eventually(lambda: len(children_of(process) - {dead}) == 2)
    assert send(process, datasets) == [SUCCESS] * 20
    assert (len(before), Instance.objects.count()) == (2, 20)


@has_proc
def test_no_process_outlives_the_one_that_was_started():
    running = start()
    children = children_of(running)
    running.process.kill()
    running.process.wait()
    running.process.stdout.close()

    assert len(children) == 2
    assert eventually(lambda: not any(map(is_running, children)), seconds=10.0)
    with socket.create_server(("127.0.0.1", running.port)) as listening:
        assert listening.getsockname()[1] == running.port


def test_a_taken_port_is_told_in_one_line(listener):
    done = subprocess.run(**command_and_environment(listener.port, {}), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == f"CommandError: port {listener.port} cannot be listened on: Address already in use\n"
